"""POST /oauth2/token: the client credentials grant of RFC 6749 (sections 2.3.1, 4.4 and 5)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from flask import Response, jsonify, request
from werkzeug.exceptions import HTTPException

from app.api.schemas.token import AccessToken, TokenError, TokenRequest
from app.api.services import services
from app.auth import scopes, tokens
from app.auth.scopes import Scope
from app.web import guards, log
from app.web.problems import Problem
from app.web.strict_api import Blueprint
from vendors.kit.credentials import decoded

BODY_LIMIT = 16 * 1024  # bytes; a token request has some hundred
FORM = "application/x-www-form-urlencoded"
CHALLENGE = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}

blueprint = Blueprint("Token", __name__, description="Access tokens.")


class Refusal(Exception):
    """An error of RFC 6749, section 5.2: its code and a description in plain ASCII without quotes."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


@blueprint.post("/oauth2/token")
# The body is documented here and read below: a schema would refuse it with a problem, RFC 6749 demands its own errors.
@blueprint.doc(
    operationId="getToken",
    security=[],
    requestBody={"required": True, "content": {FORM: {"schema": TokenRequest}}},
)
@blueprint.response(200, AccessToken)
@blueprint.alt_response(400, schema=TokenError, description="The request is not one for a token.")
@blueprint.alt_response(401, schema=TokenError, description="Unknown client or wrong secret.", headers=CHALLENGE)
def issue() -> Response:
    """Issues an access token for a client id and secret (RFC 6749, client credentials).

    The client authenticates by HTTP Basic or with client_id and client_secret in the form.
    """
    form = _form()
    client_id, secret = _credentials(form)
    log.conceal(secret)
    _refuse_guessing(client_id)
    client = services().clients.verified(client_id, secret)
    if client is None:
        raise Refusal("invalid_client", "The client is unknown or its secret is wrong")
    if form["grant_type"] != "client_credentials":
        raise Refusal("unsupported_grant_type", "Only client_credentials is supported")
    granted = _granted(form, client.scopes)
    services().last_use.note(client.id)
    access_token, expires_at = services().tokens.issue(client.id, granted)
    return _response(
        {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": tokens.LIFETIME,
            "expires_at": expires_at,
            "scope": scopes.text(granted),
        }
    )


def _refuse_guessing(client_id: str) -> None:
    """429 after too many failed logins, before the secret is compared. A problem that is also an error of RFC 6749,
    since libraries for OAuth read `error`."""
    seconds = services().failed_logins.exceeded(client_id)
    if seconds:
        detail = f"Too many logins have failed from this address; try again in {seconds} s."
        services().failed_logins.report(client_id, "too_many_failed_logins", detail)
        members = {"error": "temporarily_unavailable", "error_description": detail}
        raise Problem(429, "too_many_failed_logins", detail, headers={"Retry-After": str(seconds)}, **members)


def _granted(form: Mapping[str, str], available: frozenset[Scope]) -> frozenset[Scope]:
    """The scopes that the request asks for, or all that the client has (RFC 6749, section 3.3)."""
    if "scope" not in form:
        return available
    requested = set(form["scope"].split(" "))
    if not requested <= available:
        raise Refusal("invalid_scope", f"This client may ask for: {scopes.text(available)}")
    return scopes.parse(form["scope"])


def _form() -> dict[str, str]:
    """The parameters of the body. A parameter without a value counts as absent (RFC 6749, section 3.2)."""
    if request.args:
        raise Refusal("invalid_request", "Parameters belong in the body, not in the URL")
    if len(request.get_data()) > BODY_LIMIT:
        raise guards.too_large(BODY_LIMIT)
    if request.mimetype != FORM:
        raise Refusal("invalid_request", "The body must be application/x-www-form-urlencoded")
    for _, values in request.form.lists():
        if len(values) > 1:
            raise Refusal("invalid_request", "A parameter is repeated")
    form = {name: value for name, value in request.form.items() if value}
    if "grant_type" not in form:
        raise Refusal("invalid_request", "The parameter grant_type is missing")
    return form


def _credentials(form: Mapping[str, str]) -> tuple[str, str]:
    """The client's id and secret, from the header or from the form."""
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
    """The client's id and secret. Not request.authorization: that refuses base64 without padding, and takes a pair
    without a colon."""
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


def _response(body: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(body)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def _presented_id() -> str | None:
    """The client's id as it stands in the request; None where it cannot be read."""
    try:
        return _credentials(request.form)[0]
    except (Refusal, HTTPException):
        return None


@blueprint.errorhandler(Refusal)
def refuse(refusal: Refusal) -> Response:
    """The error in the form of RFC 6749; a failed authentication carries a challenge."""
    client_id = _presented_id()
    body = {"error": refusal.error, "error_description": str(refusal)}
    if refusal.error != "invalid_client":
        services().failed_logins.report_refusal(client_id, refusal.error, str(refusal))
        return _response(body, 400)
    services().failed_logins.report(client_id, refusal.error, str(refusal))
    services().failed_logins.count(client_id)
    response = _response(body, 401)
    response.headers["WWW-Authenticate"] = 'Basic realm="derapi", charset="UTF-8"'
    return response
