"""The owner's own way: which vendor, the vendor's page or a form of this service, and what comes of it.

These pages are no part of the API, so /openapi.json does not list them.
"""

import re
from collections.abc import Callable, Mapping
from typing import NoReturn
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from app.api import join_pages
from app.api.join_pages import Names
from app.api.services import services
from app.auth.caller_limits import caller_network
from app.credentials.rules import SECRET
from app.fleet.vendor_access import MAX_VALUE
from app.join.failures import ConsentFailure, Reason
from app.join.source import Source, of_grant, of_session
from app.join.steps import Attempt, Outcome, Question
from app.web.log import conceal
from app.web.pages import languages
from vendors.kit.deadline import Deadline
from vendors.kit.variants import CodeGrant, TypedKeys, Variant

ADDRESS = "address"
# The button with which the owner refuses; what is in the fields does not count.
REFUSE = "refuse"
EMAIL = re.compile(r"[^\s@\"<>,;:\\()\[\]]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}")
MAX_ADDRESS = 254

blueprint = Blueprint("JoinForms", __name__)


@blueprint.get("/join/session/<session_id>/authorize")
def ask(session_id: str) -> Response:
    """Asks the owner at a vendor of a session, in a window that the client's page has opened."""
    row = services().join.sessions.find(session_id)
    if row is None or row.vendor is not None or "vendor" not in request.args:
        return join_pages.failure(Reason.ENDED)
    return begin(of_session(row), request.args["vendor"], None)


@blueprint.get("/join/grants/<token>")
def renew(token: str) -> Response:
    """Asks the owner of a grant again. The link is used up when the owner has given consent, not by a mail scanner."""
    grant = services().consent_links.find(token)
    if grant is None:
        return join_pages.failure(Reason.ENDED)
    source = of_grant(grant, token)
    if "vendor" in request.args:
        return begin(source, request.args["vendor"], None)
    try:
        return choose(source, join_pages.names(source), None)
    except ConsentFailure as failure:
        return join_pages.failure(failure.reason)


@blueprint.post("/join/<vendor>/answer")
def answer(vendor: str) -> Response:
    """Receives a form: keys, or an e-mail address. Its state belongs to its cookie, so no other page sent it."""
    form = request.form.to_dict()
    conceal(*(value for name, value in form.items() if name not in (languages.PARAMETER, REFUSE)))
    state = form.get("state", "")
    try:
        attempt = services().join.consents.look(vendor, state, join_pages.browser_of(state))
        names = join_pages.names(attempt.source, vendor)
        _refuse_without_form(attempt)
    except ConsentFailure as failure:
        return join_pages.failure(failure.reason)
    is_typed = isinstance(attempt.variant.consent, TypedKeys)
    values = {name: form.get(name, "").strip() for name in _fields(attempt.variant)}
    if REFUSE in form:
        response = ended(attempt, lambda: _decline(attempt))
    elif wrong_key(attempt.variant, values) if is_typed else not _is_address(values[ADDRESS]):
        return _form(attempt.source, names, attempt.variant, vendor, state, fault="empty")
    else:
        response = ended(attempt, lambda: _complete(attempt, values, is_typed=is_typed))
    join_pages.forget_browser(response, state)
    return response


def begin(source: Source, vendor: str, company_state: str | None, fault: str = "") -> Response:
    """Begins an attempt: redirects to the vendor's page, or shows a form. Binds it to the browser by a cookie."""
    try:
        names = join_pages.names(source, vendor)
        services().join.networks.count_attempt(source, caller_network())
        question = services().join.consents.begin(source, vendor, company_state, join_pages.redirect_uri(vendor))
    except ConsentFailure as failure:
        return failed(source, company_state, failure.reason, vendor)
    response = _shown(question, names, fault)
    join_pages.set_browser(response, question.begun.state, question.begun.browser)
    return response


def choose(source: Source, names: Names, company_state: str | None) -> Response:
    """The page on which the owner chooses a vendor."""
    code = languages.requested()
    text = languages.texts_in(code)["choose"]["connect"]
    query = {"state": company_state} if company_state is not None else {}
    choices = [
        {
            "url": f"?{urlencode({'vendor': config.vendor, **query, 'lang': code})}",
            "logo": join_pages.logo_of(config.vendor),
            "text": text.format_map({"client": names.client, "vendor": join_pages.title_of(config.vendor)}),
        }
        for config in source.vendors
    ]
    return join_pages.show("choose", names, "choose", switch=f"?{urlencode(query)}", choices=choices)


def ended(attempt: Attempt, complete: Callable[[], Outcome]) -> Response:
    """The response to the last step of an attempt. Keys that the vendor refuses can be typed in again."""
    source, vendor = attempt.source, attempt.config.vendor
    try:
        names = join_pages.names(source, vendor)
        outcome = complete()
    except ConsentFailure as failure:
        if failure.reason is Reason.KEYS_REFUSED:
            return begin(source, vendor, attempt.company_state, Reason.KEYS_REFUSED.value)
        return failed(source, attempt.company_state, failure.reason, vendor)
    if source.redirect_uri is not None:
        return join_pages.back(source, attempt.company_state, {"grantID": outcome.grant_id} if outcome.grant_id else {})
    page = "success" if outcome.is_given else "asked"
    return join_pages.show(page, names, "message")


def failed(source: Source, company_state: str | None, reason: Reason, vendor: str) -> Response:
    """The response to an attempt that came to nothing."""
    if source.redirect_uri is not None:
        members = {"error": reason.error, "error_description": reason.sentence}
        return join_pages.back(source, company_state, members)
    try:
        return join_pages.failure(reason, join_pages.names(source, vendor))
    except ConsentFailure:
        return join_pages.failure(reason)


def wrong_key(variant: Variant, keys: Mapping[str, str]) -> bool:
    """Whether a key is missing, or cannot be one."""
    return any(not SECRET.fullmatch(keys.get(name, "")) or len(keys[name]) > MAX_VALUE for name in variant.members)


def _refuse_without_form(attempt: Attempt) -> None:
    """Raises ConsentFailure for an attempt that only the vendor's callback completes."""
    if isinstance(attempt.variant.consent, CodeGrant):
        raise ConsentFailure(Reason.ENDED)


def _decline(attempt: Attempt) -> NoReturn:
    services().join.consents.decline(attempt)
    raise ConsentFailure(Reason.DECLINED)


def _complete(attempt: Attempt, values: Mapping[str, str], *, is_typed: bool) -> Outcome:
    consents, deadline = services().join.consents, Deadline(services().settings.request_deadline)
    if is_typed:
        return consents.by_keys(attempt, values, deadline)
    services().join.networks.count_mail(attempt.source, caller_network())
    return consents.by_mail(attempt, values[ADDRESS], deadline)


def _shown(question: Question, names: Names, fault: str) -> Response:
    if question.url is not None:
        return join_pages.redirected(question.url)
    return _form(question.source, names, question.variant, question.vendor, question.begun.state, fault)


def _form(source: Source, names: Names, variant: Variant, vendor: str, state: str, fault: str = "") -> Response:
    """The form for keys or for an e-mail address. fault: the name of a text about what was sent before."""
    is_typed = isinstance(variant.consent, TypedKeys)
    return join_pages.show(
        "keys" if is_typed else "mail",
        names,
        "form",
        status=400 if fault else 200,
        targets=join_pages.form_targets(source),
        vendor=vendor,
        state=state,
        fields=_fields(variant),
        kind="text" if is_typed else "email",
        longest=MAX_VALUE if is_typed else MAX_ADDRESS,
        fault=fault,
    )


def _fields(variant: Variant) -> dict[str, str]:
    """The names of the fields, with their labels; that of an address is in the texts of the page."""
    if isinstance(variant.consent, TypedKeys):
        return {name: variant.consent.labels.get(name, name) for name in variant.members}
    return {ADDRESS: ""}


def _is_address(text: str) -> bool:
    return len(text) <= MAX_ADDRESS and EMAIL.fullmatch(text) is not None
