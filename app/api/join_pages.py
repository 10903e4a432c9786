"""The pages on which owners give consent, and the cookie that binds an attempt to a browser."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, g, make_response, render_template, request

from app.api.services import services
from app.join.failures import ConsentFailure, Reason
from app.join.random_texts import hashed
from app.join.source import Source
from app.web import guards
from app.web.pages import languages, policy

# The id of a session, or the token of a link that renews a grant.
SECRET_IN_PATH = re.compile(r"/+join/+(?:session/+(?!start$)|grants/+)([^/]+)", re.IGNORECASE)
# Routes whose GET begins or completes an attempt, or gives something out once.
NOT_BY_HEAD = frozenset(
    {"JoinSessions.fetch_token", "JoinConsent.authorize", "JoinConsent.granted", "JoinForms.ask", "JoinForms.renew"}
)
# Which part of a state's hash names its cookie: of several windows each has its own.
NAME_LENGTH = 12
COOKIE_SECONDS = 600
# What the browser of an owner is shown for each reason.
STATUS = {Reason.TOO_MANY: 429, Reason.VENDOR_DOWN: 502, Reason.NOT_KEPT: 503, Reason.NOT_SET_UP: 503}


@dataclass(frozen=True, slots=True)
class Names:
    """Who asks, and at which vendor: never texts of a URL."""

    client: str
    vendor: str = ""


def base() -> str:
    """The beginning of this service's URLs."""
    return guards.base_url(services().settings.public_url)


def redirect_uri(vendor: str) -> str:
    """Where a vendor sends the owner's browser back: registered there, and always the same."""
    return f"{base()}/join/{vendor}/auth-granted"


def title_of(vendor: str) -> str:
    """The vendor's name as owners know it; empty for a text that names none, which may come from a URL."""
    cloud = services().clouds.get(vendor)
    return cloud.vendor.titles.get(vendor, vendor) if cloud else ""


def logo_of(vendor: str) -> str:
    """A picture with the first letter of the vendor's name, as a data URL. The vendors' own logos belong to them."""
    letter = escape(title_of(vendor)[:1].upper())
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">'
        '<rect width="64" height="64" rx="12" fill="#0b6b4f"/>'
        '<text x="32" y="44" font-family="sans-serif" font-size="34" font-weight="600" fill="#fff" '
        f'text-anchor="middle">{letter}</text></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def names(source: Source | None, vendor: str = "") -> Names:
    """The names for a page. Raises ConsentFailure if the client's access has ended."""
    client = services().clients.find(source.client_id) if source else None
    if client is None:
        raise ConsentFailure(Reason.ENDED)
    return Names(client.name, title_of(vendor))


def show(
    page: str, names: Names, template: str, status: int = 200, targets: str = "", switch: str = "", **facts: Any
) -> Response:
    """A page in the owner's language. targets: where its form may be redirected. switch: its address without `lang`."""
    code = languages.requested()
    other = next(name for name in languages.CODES if name != code)
    texts, values = languages.texts_in(code), {"client": names.client, "vendor": names.vendor}
    text = languages.filled(texts[page], values)
    reads = languages.filled(texts["reads"] | {"heading": texts["choose"]["reads_heading"]}, values)
    g.page_headers = policy.of_consent(targets)
    html = render_template(
        f"join/{template}.html",
        code=code,
        other=other,
        other_name=texts["other"],
        switch=f"{switch}&lang={other}" if switch else "",
        text=text,
        reads=reads,
        **facts,
    )
    response = make_response(html, status)
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def failure(reason: Reason, names: Names | None = None) -> Response:
    """The page of a consent that came to nothing. names: None if it is not known who has asked."""
    code = languages.requested()
    known = names or Names(languages.texts_in(code)["failure"]["company"])
    texts = languages.texts_in(code)["failure"]
    lead = texts[reason.value].format_map({"client": known.client, "vendor": known.vendor})
    return show("failure", known, "message", STATUS.get(reason, 400), lead=lead)


def back(source: Source, company_state: str | None, members: Mapping[str, str]) -> Response:
    """Sends the browser to the flow's redirect URI, with the result and the company's state."""
    if source.redirect_uri is None:
        raise ValueError("the source has no redirect URI")
    state = {"state": company_state} if company_state is not None else {}
    joint = "&" if urlsplit(source.redirect_uri).query else "?"
    uri = source.redirect_uri.rstrip("?&") if joint == "?" else source.redirect_uri
    return redirected(f"{uri}{joint}{urlencode({**state, **members})}")


def redirected(url: str) -> Response:
    """A redirect without a body. 303, so that no form is sent on to another server."""
    code = 303 if request.method == "POST" else 302
    return Response(status=code, headers={"Location": url, "Referrer-Policy": "no-referrer"}, mimetype="text/plain")


def form_targets(source: Source) -> str:
    """The origin to which the form of a flow is redirected, for the policy of its page."""
    if source.redirect_uri is None:
        return ""
    url = urlsplit(source.redirect_uri)
    return f"{url.scheme}://{url.netloc}"


def set_browser(response: Response, state: str, browser: str) -> None:
    """Binds an attempt to the browser. The value is always new: a cookie that was planted there is of no use."""
    response.set_cookie(
        _cookie(state), browser, max_age=COOKIE_SECONDS, path="/", secure=_is_secure(), httponly=True, samesite="Lax"
    )


def forget_browser(response: Response, state: str) -> None:
    """Deletes the cookie of an attempt that is over."""
    response.delete_cookie(_cookie(state), path="/", secure=_is_secure(), httponly=True, samesite="Lax")


def browser_of(state: str) -> str:
    """The cookie that belongs to a state; empty if the browser has none."""
    return request.cookies.get(_cookie(state), "")


def _cookie(state: str) -> str:
    # With this prefix browsers let no other host of the domain set it; without https they refuse the prefix.
    prefix = "__Host-" if _is_secure() else ""
    return f"{prefix}join-{hashed(state)[:NAME_LENGTH]}"


def _is_secure() -> bool:
    return base().startswith("https:")
