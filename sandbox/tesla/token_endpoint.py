"""The token endpoint: codes, refresh tokens, and the application's own tokens."""

from collections.abc import Mapping

from flask import Response, request

from sandbox.consent.codes import BadCode
from sandbox.consent.consents import Consent
from sandbox.replies import Refused, reply
from sandbox.tesla.access import CLIENT, CLIENT_SECRET, Access
from sandbox.tesla.accounts import OFFLINE_SCOPE
from sandbox.tesla.constants import CONTENT_TYPE
from sandbox.tokens import Issued

CODE_ERRORS = {"redirect_uri": "invalid_redirect_url"}


class TokenEndpoint:
    """Answers `POST /oauth2/v3/token`, whose parameters stand in a form."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def token(self) -> Response:
        """A new pair of tokens, or a refusal."""
        grants = {
            "authorization_code": self._of_code,
            "refresh_token": self._of_refresh_token,
            "client_credentials": self._of_client,
        }
        grant = request.form.get("grant_type", "")
        if grant not in grants:
            return _refused("unsupported_grant_type" if grant else "invalid_request", "grant_type")
        if request.form.get("client_id", "") != CLIENT:
            return _refused("unauthorized_client", "client_id")
        return grants[grant]()

    def _of_code(self) -> Response:
        self._demand_secret()
        self._demand("audience")
        try:
            consent = self._access.codes.redeem(
                request.form.get("code", ""),
                CLIENT,
                request.form.get("redirect_uri", ""),
                request.form.get("code_verifier", ""),
            )
        except BadCode as error:
            return _refused(CODE_ERRORS.get(error.fault, "invalid_auth_code"), error.fault)
        return _pair(self._access.tokens.issue(CLIENT, consent), consent)

    def _of_refresh_token(self) -> Response:
        """The secret is not asked for."""
        renewed = self._access.tokens.refresh(request.form.get("refresh_token", ""), CLIENT)
        if renewed is None:
            return _refused("login_required", "The refresh token is unknown, used or expired", 401)
        return _pair(*renewed)

    def _of_client(self) -> Response:
        """The application's own token, which sees no account."""
        self._demand_secret()
        self._demand("audience")
        return _answer(self._access.tokens.issue(CLIENT), {})

    def _demand_secret(self) -> None:
        if request.form.get("client_secret", "") != CLIENT_SECRET:
            raise Refused(_refused("unauthorized_client", "client_secret"))

    def _demand(self, name: str) -> None:
        if not request.form.get(name):
            raise Refused(_refused("invalid_request", name))


def _pair(issued: Issued, consent: Consent | None) -> Response:
    scopes = consent.scopes if consent else ()
    return _answer(issued, {"refresh_token": issued.refresh, "id_token": ""} if OFFLINE_SCOPE in scopes else {})


def _answer(issued: Issued, members: Mapping[str, str]) -> Response:
    body = {"access_token": issued.access, **members, "expires_in": issued.lifetime, "token_type": "Bearer"}
    return reply(body, headers={"Cache-Control": "no-store"}, content_type=CONTENT_TYPE)


def _refused(error: str, description: str, status: int = 400) -> Response:
    return reply({"error": error, "error_description": description}, status, content_type=CONTENT_TYPE)
