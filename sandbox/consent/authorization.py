"""Checks what an application asks for at a page of consent, before the owner sees the page (RFC 6749, 4.1.1)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from flask import Response, render_template, request

from sandbox.consent.codes import AuthorizationRequest
from sandbox.replies import Refused

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # No form-action: browsers apply it to the redirection that follows the form, and that leads elsewhere.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


@dataclass(frozen=True)
class PageRules:
    """What a vendor's page of consent expects and shows.

    title: the vendor's name. reads: what an application can read, as the owner reads it.
    scopes: those that the vendor knows, each with a sentence for the owner; none where the vendor has no scopes.
    required: parameters without which the page refuses. has_pkce: whether it takes a proof key.
    longest_months: for how many months access can be asked; None where there is no such parameter.
    """

    title: str
    reads: str
    scopes: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ("response_type",)
    has_pkce: bool = False
    longest_months: int | None = None


def authorization_request(rules: PageRules, is_client: Callable[[str], bool]) -> AuthorizationRequest:
    """The request in the query. Raises Refused: with a page as long as it is unclear to whom the owner should return,
    else with a redirection to the application."""
    query = request.args
    client, target = query.get("client_id", ""), query.get("redirect_uri", "")
    if not is_client(client):
        raise Refused(message("This application is not known here", HTTPStatus.BAD_REQUEST))
    if not is_redirect_uri(target):
        raise Refused(message("The redirect URI of the application cannot be used", HTTPStatus.BAD_REQUEST))
    asked = AuthorizationRequest(
        client,
        target,
        tuple(query.get("scope", "").split()) if rules.scopes else (),
        query.get("state"),
        query.get("code_challenge", "") if rules.has_pkce else "",
        _months(query.get("access_duration", ""), rules.longest_months),
    )
    error = _fault(rules, asked)
    if error:
        raise Refused(back(asked, error=error, error_description="The request of the application cannot be met"))
    return asked


def _fault(rules: PageRules, asked: AuthorizationRequest) -> str:
    """The code of the error in the request; "" if there is none."""
    query = request.args
    if any(not query.get(name) for name in rules.required):
        return "invalid_request"
    if query.get("response_type", "code") != "code":
        return "unsupported_response_type"
    if any(scope not in rules.scopes for scope in asked.scopes):
        return "invalid_scope"
    if asked.months is not None and not 1 <= asked.months <= (rules.longest_months or 0):
        return "invalid_request"
    is_plain = query.get("code_challenge_method", "plain") != "S256"
    if asked.challenge and (is_plain or not CHALLENGE.fullmatch(asked.challenge)):
        return "invalid_request"
    return ""


def _months(text: str, longest: int | None) -> int | None:
    """The months that are asked for, the longest by default; 0 for a text that is no number."""
    if longest is None:
        return None
    return int(text) if text.isdecimal() and len(text) <= 4 else 0 if text else longest


def is_redirect_uri(text: str) -> bool:
    """Whether an application could have registered it: https, or http on loopback, and no fragment."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    return is_safe and bool(host) and "#" not in text and parts.username is None


def back(asked: AuthorizationRequest, **members: str) -> Response:
    """Sends the owner back to the application with these members, and with the `state` that it gave."""
    if asked.state is not None:
        members["state"] = asked.state
    joint = "&" if urlsplit(asked.redirect_uri).query else "?"
    location = f"{asked.redirect_uri}{joint}{urlencode(members)}"
    return Response(status=HTTPStatus.FOUND, headers={**HEADERS, "Location": location})


def message(text: str, status: int = HTTPStatus.OK, *, is_question_open: bool = False) -> Response:
    """A page with one sentence; with a link back to the question if that is open."""
    question = request.full_path if is_question_open else ""
    return page(render_template("consent_message.html", text=text, question=question), status)


def page(html: str, status: int = HTTPStatus.OK) -> Response:
    """A page that neither browsers nor other sites keep, frame or script."""
    return Response(html, status=status, headers=HEADERS, content_type="text/html; charset=utf-8")
