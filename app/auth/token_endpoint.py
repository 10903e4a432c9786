"""POST /oauth2/token: the client credentials grant of RFC 6749 (sections 2.3.1, 4.4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from app.auth import failed_logins, tokens
from app.auth.clients import Clients
from app.web import guards, log
from vendors.kit.credentials import decoded

BODY_LIMIT = 16 * 1024  # bytes; a token request has some hundred
blueprint = Blueprint("oauth", __name__)


class Refusal(Exception):
    """An error of RFC 6749, section 5.2: its code and a description in plain ASCII without quotes."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


@blueprint.post("/oauth2/token")
def token() -> Response:
    """An access token for the client whose id and secret came with the request."""
    form = _form()
    client_id, secret = _credentials(form)
    log.conceal(secret)
    clients: Clients = current_app.extensions["clients"]
    known = clients.verified(client_id, secret)
    if known is None:
        raise Refusal("invalid_client", "The client is unknown or its secret is wrong")
    if form["grant_type"] != "client_credentials":
        raise Refusal("unsupported_grant_type", "Only client_credentials is supported")
    if "scope" in form:
        raise Refusal("invalid_scope", "This service has no scopes")
    access_token, expires_at = tokens.issue(known, current_app.config["SETTINGS"].secret_key)
    return _answer(
        {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": tokens.LIFETIME,
            "expires_at": expires_at,
        }
    )


def _form() -> dict[str, str]:
    """The parameters of the body; those without a value count as absent (RFC 6749, section 3.2)."""
    if request.args:
        raise Refusal("invalid_request", "Parameters belong in the body, not in the URL")
    if len(request.get_data()) > BODY_LIMIT:
        raise guards.too_large(BODY_LIMIT)
    if request.mimetype != "application/x-www-form-urlencoded":
        raise Refusal("invalid_request", "The body must be application/x-www-form-urlencoded")
    for _, values in request.form.lists():
        if len(values) > 1:
            raise Refusal("invalid_request", "A parameter is repeated")
    form = {name: value for name, value in request.form.items() if value}
    if "grant_type" not in form:
        raise Refusal("invalid_request", "The parameter grant_type is missing")
    return form


def _credentials(form: Mapping[str, str]) -> tuple[str, str]:
    header = request.headers.get("Authorization")
    if header is None:
        if "client_id" not in form:
            raise Refusal("invalid_client", "The client must authenticate by HTTP Basic or with form fields")
        return form["client_id"], form.get("client_secret", "")
    client_id, secret = _basic(header)
    # The id alone may be repeated in the body (RFC 6749, section 3.2.1); a second secret is a second method.
    if "client_secret" in form or form.get("client_id", client_id) != client_id:
        raise Refusal("invalid_request", "The client must authenticate in one way only")
    return client_id, secret


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        client_id, colon, secret = decoded(value.strip()).partition(":")
        if not colon:
            raise ValueError
    except ValueError:
        raise Refusal("invalid_client", "The header Authorization is not valid HTTP Basic") from None
    # Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
    return unquote_plus(client_id), unquote_plus(secret)


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(body)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def _presented_id() -> str | None:
    """The client's id as the request has it, if it has one that can be read."""
    try:
        return _credentials(request.form)[0]
    except (Refusal, HTTPException):
        return None


@blueprint.errorhandler(Refusal)
def refuse(refusal: Refusal) -> Response:
    """The error as RFC 6749 wants it; a failed authentication carries a challenge."""
    failed_logins.report(_presented_id(), refusal.error, str(refusal))
    if refusal.error != "invalid_client":
        return _answer({"error": refusal.error, "error_description": str(refusal)}, 400)
    response = _answer({"error": refusal.error, "error_description": str(refusal)}, 401)
    response.headers["WWW-Authenticate"] = 'Basic realm="derapi", charset="UTF-8"'
    return response
