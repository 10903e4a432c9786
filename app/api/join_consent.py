"""Where an owner's browser is sent: the link of a flow, and the callback of all vendors."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from flask import Response, request

from app.api import api_version, join_cors, join_forms, join_pages
from app.api.schemas.join import AuthorizeQuery
from app.api.services import services
from app.join.failures import ConsentFailure, Reason
from app.join.source import of_flow
from app.join.steps import Attempt, Outcome
from app.web.log import conceal
from app.web.pages import languages
from app.web.problems import InvalidRequest
from app.web.strict_api import Blueprint
from vendors.kit.deadline import Deadline
from vendors.kit.variants import Variant

HTML = {"text/html": {"schema": {"type": "string"}}}
PAGE = {"description": "A page for the owner.", "content": HTML}
PAGES_OF_FAILURES = {str(status): PAGE for status in (400, 404, 429, 502, 503)}
STATE, CODE, ERROR = "state", "code", "error"
# The vendor's word for an owner who refuses (RFC 6749, section 4.1.2.1).
DENIED = "access_denied"

blueprint = Blueprint("JoinConsent", __name__, description="Pages on which owners give consent.")


@blueprint.errorhandler(InvalidRequest)
def show_wrong_link(error: InvalidRequest) -> Response:
    """A page in place of the problem if the parameters are wrong: an owner has not written the link."""
    return join_pages.failure(Reason.CHANGED)


@blueprint.get("/join/flows/<flowID>/authorize", parameters=[api_version.PARAMETER])
@blueprint.doc(
    operationId="getJoinFlowAuthorize",
    security=[],
    responses={
        "200": PAGE,
        "302": {"description": "To the vendor's page, or with an error to the flow's redirect URI."},
        **PAGES_OF_FAILURES,
    },
)
@blueprint.arguments(AuthorizeQuery(), location="query")
def authorize(query: dict[str, Any], flowID: str) -> Response:
    """Asks an owner for consent: at the vendor, or first which vendor it is."""
    row = services().join.flows.of_any_client(flowID)
    if row is None:
        return join_pages.failure(Reason.ENDED)
    source = of_flow(row)
    try:
        names = join_pages.names(source)
    except ConsentFailure as failure:
        return join_pages.failure(failure.reason)
    if "vendor" in query:
        return join_forms.begin(source, query["vendor"], query.get("state"))
    return join_forms.choose(source, names, query.get("state"))


@blueprint.get("/join/<vendor>/auth-granted")
@blueprint.doc(
    operationId="joinAuthGranted",
    security=[],
    parameters=[
        {"in": "query", "name": STATE, "schema": {"type": "string"}, "description": "The attempt, or a session's id."},
        {"in": "query", "name": CODE, "schema": {"type": "string"}, "description": "The vendor's code, or typed keys."},
        {"in": "query", "name": ERROR, "schema": {"type": "string"}, "description": "Why there is no code."},
    ],
    responses={
        "200": PAGE,
        "302": {"description": "To the flow's redirect URI."},
        **PAGES_OF_FAILURES,
    },
)
def granted(vendor: str) -> Response:
    """Receives an owner's browser from a vendor, or keys that a client's own page sends for a session."""
    members = _members()
    state = members.get(STATE, "")
    conceal(*members.values())
    consents = services().join.consents
    try:
        attempt = consents.look(vendor, state, join_pages.browser_of(state))
    except ConsentFailure as failure:
        typed = _typed(vendor, state)
        return typed if typed is not None else join_pages.failure(failure.reason)
    response = join_forms.ended(attempt, lambda: _complete(attempt, members))
    join_pages.forget_browser(response, state)
    return response


def _complete(attempt: Attempt, members: Mapping[str, str]) -> Outcome:
    consents, vendor = services().join.consents, attempt.config.vendor
    if CODE not in members or ERROR in members:
        consents.decline(attempt)
        raise ConsentFailure(Reason.DECLINED if members.get(ERROR) == DENIED else Reason.CODE_REFUSED)
    deadline = Deadline(services().settings.request_deadline)
    return consents.by_code(attempt, members[CODE], members, join_pages.redirect_uri(vendor), deadline)


def _members() -> dict[str, str]:
    """The parameters of the callback. None of them if one is repeated: which one counts would be a guess."""
    pairs = parse_qsl(request.query_string.decode(errors="replace"), keep_blank_values=True)
    members = dict(pairs)
    return members if len(members) == len(pairs) else {}


def _typed(vendor: str, session_id: str) -> Response | None:
    """The answer to keys from a client's own page; None if the request is none of such a page.

    The public script sends them in a GET without escaping: all that follows `code=` are the keys.
    """
    row = services().join.sessions.find(session_id)
    if row is None or not join_cors.is_registered(row):
        return None
    text = unquote(request.query_string.decode(errors="replace").partition(f"{CODE}=")[2])
    conceal(text)
    try:
        attempt = services().join.consents.of_page(row, vendor)
        if attempt is None:
            return None
        keys = _keys_in(text, attempt.variant)
        conceal(*keys.values())
        if join_forms.wrong_key(attempt.variant, keys):
            raise ConsentFailure(Reason.KEYS_REFUSED)
        services().join.consents.by_keys(attempt, keys, Deadline(services().settings.request_deadline))
    except ConsentFailure as failure:
        status = join_pages.STATUS.get(failure.reason, 400)
        return Response(f"failed: {failure.reason.sentence}", status, mimetype="text/plain")
    return Response(languages.texts_in("en")["success"]["title"], mimetype="text/plain")


def _keys_in(text: str, variant: Variant) -> dict[str, str]:
    """Keys with colons between them; a single one ends with a colon."""
    names = list(variant.members)
    values = [text.removesuffix(":")] if len(names) == 1 else text.split(":", len(names) - 1)
    return dict(zip(names, values, strict=False))
