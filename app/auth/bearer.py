"""The bearer check (RFC 6750) that comes before every request, except to a short list of open endpoints."""

from __future__ import annotations

from flask import Flask, current_app, g, request

from app.auth import failed_logins, tokens
from app.auth.clients import Clients
from app.web.problems import Problem

OPEN_ENDPOINTS = frozenset({"health.show", "oauth.token", "api-docs.openapi_json"})
REALM = 'Bearer realm="derapi"'


def _refusal(code: str, detail: str, challenge: str) -> Problem:
    return Problem(401, code, detail, headers={"WWW-Authenticate": challenge})


def require_token() -> None:
    """Sets `g.client`, or answers 401.

    Paths and methods that don't exist answer 404 and 405 to anyone: the list of routes is no secret.
    """
    if request.routing_exception or request.endpoint in OPEN_ENDPOINTS:
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        # Without credentials the challenge names no error (RFC 6750, section 3.1).
        detail = "Send a token in the header Authorization; POST /oauth2/token gives one."
        raise _refusal("missing_token", detail, REALM)
    client_id = tokens.subject(token.strip(), current_app.config["SETTINGS"].secret_key)
    clients: Clients = current_app.extensions["clients"]
    client = clients.find(client_id) if client_id else None
    if client is None:
        fault = "The access token is malformed, expired, revoked or of another issuer"
        failed_logins.report(client_id, "invalid_token", fault)
        challenge = f'{REALM}, error="invalid_token", error_description="{fault}"'
        raise _refusal("invalid_token", f"{fault}; POST /oauth2/token gives a new one.", challenge)
    g.client = client


def init_app(app: Flask) -> None:
    """Puts the check before every request."""
    app.before_request(require_token)
