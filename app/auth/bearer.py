"""The bearer check (RFC 6750) before every request, except those of a short list of open endpoints."""

from flask import Flask, g, request

from app.auth.clients import ApiClient, Clients
from app.auth.failed_logins import FailedLogins
from app.auth.scopes import REALM
from app.auth.tokens import Tokens
from app.web.log import disclose
from app.web.problems import Problem

# They are no part of the API. Browsers of owners open those of JoinForms; each attempt is bound to its browser.
PAGES = frozenset(
    {
        "Pages.first",
        "Pages.fleet",
        "Pages.reference",
        "Pages.asset",
        "ErrorPages.show",
        "Docs.show",
        "VendorKeys.show",
        "JoinForms.ask",
        "JoinForms.renew",
        "JoinForms.answer",
    }
)
OPEN_ENDPOINTS = PAGES | {
    "Health.show",
    "Health.ready",
    "Metrics.show",
    "Token.issue",
    "DemoSignIn.redeem",
    "JoinConsent.authorize",
    "JoinConsent.granted",
    "openapi_json",
}
# Routes that also take the token of their session, which they check themselves; no other route takes it.
SESSION_ENDPOINTS = frozenset({"JoinSessions.list_vendors", "JoinSessions.fetch_token"})
SESSION_TOKEN = "join-"  # noqa: S105 - how such a token begins


class BearerCheck:
    """Sets the caller of a request and the scopes of its token, or answers 401."""

    def __init__(self, clients: Clients, failed_logins: FailedLogins, tokens: Tokens) -> None:
        self._clients, self._failed_logins, self._tokens = clients, failed_logins, tokens

    def init_app(self, app: Flask) -> None:
        """Puts the check before every request."""
        app.before_request(self.require_token)

    def require_token(self) -> None:
        """Paths and methods that do not exist stay 404 and 405: the list of routes is no secret."""
        if request.routing_exception or request.endpoint in OPEN_ENDPOINTS:
            return
        authorization = request.authorization
        if authorization is None or authorization.type != "bearer":
            # Without credentials the challenge names no error (RFC 6750, section 3.1).
            detail = "Send a token in the header Authorization; POST /oauth2/token gives one."
            raise _refusal("missing_token", detail, REALM)
        if request.endpoint in SESSION_ENDPOINTS and (authorization.token or "").startswith(SESSION_TOKEN):
            return
        token = self._tokens.read(authorization.token or "")
        client = self._clients.find(token.client_id) if token else None
        if token is None or client is None:
            fault = "The access token is malformed, expired, revoked or of another issuer"
            self._failed_logins.report(token.client_id if token else None, "invalid_token", fault)
            challenge = f'{REALM}, error="invalid_token", error_description="{fault}"'
            raise _refusal("invalid_token", f"{fault}; POST /oauth2/token gives a new one.", challenge)
        g.client = client
        # Never more than the client has now: its scopes may have been reduced since the token was issued.
        g.scopes = client.scopes if token.scopes is None else client.scopes & token.scopes
        disclose(client.id)


def caller() -> ApiClient:
    """The client behind the current request."""
    client: ApiClient = g.client
    return client


def presented() -> str:
    """The bearer token of the current request, unchecked; empty without one."""
    return (request.authorization.token or "") if request.authorization else ""


def revoked() -> Problem:
    """401: the caller has been revoked since its request was let in."""
    return _refusal("invalid_token", "The client has been revoked.", f'{REALM}, error="invalid_token"')


def invalid_session_token() -> Problem:
    """401: the token is not that of this session."""
    fault = "The token is not that of this session, or the session has ended"
    return _refusal("invalid_token", f"{fault}.", f'{REALM}, error="invalid_token", error_description="{fault}"')


def _refusal(code: str, detail: str, challenge: str) -> Problem:
    return Problem(401, code, detail, headers={"WWW-Authenticate": challenge})
