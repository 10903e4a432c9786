"""SMA's token endpoint and the consent of plant owners.

The clients are made up. CLIENT has the owner's consent from the start; NEW_CLIENT has to request it.
"""

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus
from uuid import uuid4

from flask import Blueprint, Response, request

from sandbox.replies import Refused, reply
from sandbox.sma.constants import CONSENT_SECONDS, OWNER
from sandbox.tokens import Issued, Tokens

CLIENT, CLIENT_SECRET = "sandbox-client", "sandbox-secret"
NEW_CLIENT, NEW_CLIENT_SECRET = "sandbox-new-client", "sandbox-new-secret"
SECRETS = {CLIENT: CLIENT_SECRET, NEW_CLIENT: NEW_CLIENT_SECRET}
TOKEN_SECONDS = 300
SCOPE = "profile monitoringApi:read email offline_access"
STATES = ("Pending", "Accepted", "Rejected", "Expired", "Revoked")
POLL_SECONDS = 1800


class Access:
    """The tokens of one cloud, and which client may see its plants."""

    def __init__(self, real_time: Callable[[], float], is_revoked: Callable[[], bool]) -> None:
        self._real_time, self._is_revoked = real_time, is_revoked
        self.tokens = Tokens(TOKEN_SECONDS, real_time)
        self._consents: dict[tuple[str, str], dict[str, Any]] = {}

    def has_consent(self, client: str) -> bool:
        """Whether the owner of the plants has accepted that client."""
        consent = self._consent(client, OWNER)
        is_given = client == CLIENT if consent is None else consent["state"] == "Accepted"
        return is_given and not self._is_revoked()

    def client_of_token(self) -> str | None:
        """The client whose bearer token the request carries; None without a valid token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.tokens.client_of(token.strip()) if scheme.lower() == "bearer" else None

    def token(self) -> Response:
        """Answers `POST /oauth2/token`: client credentials or refresh token, by Basic or by form fields."""
        client = self._client_of_secret()
        grant = request.values.get("grant_type", "")
        if grant == "refresh_token":
            if not self.tokens.spend_refresh(request.values.get("refresh_token", ""), client):
                return _oauth_error("invalid_grant", "Invalid refresh token")
        elif grant != "client_credentials":
            return _oauth_error("unsupported_grant_type" if grant else "invalid_request", "Unsupported grant_type")
        return reply(_token_json(self.tokens.issue(client)), headers={"Cache-Control": "no-store"})

    def logout(self) -> Response:
        """Answers `POST /oauth2/logout`: makes the refresh token invalid."""
        self.tokens.spend_refresh(request.values.get("refresh_token", ""), self._client_of_secret())
        return Response(status=204)

    def request_consent(self) -> Response:
        """Answers `POST /oauth2/v2/bc-authorize`: adds a consent, pending until the owner decides."""
        client = self._required_client()
        hint = (request.get_json(force=True, silent=True) or {}).get("loginHint")
        if not isinstance(hint, str) or not hint:
            return reply({"message": "loginHint is missing", "code": "BadRequest"}, 400)
        if self._consent(client, hint) is not None:
            return reply({"message": "A consent exists", "code": "Conflict"}, 409)
        expires = datetime.fromtimestamp(self._real_time(), UTC) + timedelta(seconds=CONSENT_SECONDS)
        self._consents[client, hint.lower()] = {
            "loginHint": hint,
            "state": "Pending",
            "expirationDate": expires.replace(microsecond=0).isoformat(),
            "interval": POLL_SECONDS,
        }
        return reply(self._consent(client, hint), 201)

    def show_consent(self, hint: str) -> Response:
        """Answers `GET /oauth2/v2/bc-authorize/{loginHint}`."""
        consent = self._consent(self._required_client(), hint)
        return reply(consent) if consent else reply({"message": "No consent", "code": "NotFound"}, 404)

    def decide(self, hint: str) -> Response:
        """Answers `PUT /oauth2/v2/bc-authorize/{loginHint}/status`: decides a pending consent in the owner's place."""
        consent = self._consent(self._required_client(), hint)
        body = request.get_json(force=True, silent=True)
        state = str(body.get("state") if isinstance(body, dict) else body).capitalize()
        if consent is None or consent["state"] != "Pending":
            return reply({"message": "Nothing is pending", "code": "NotFound"}, 404)
        if state not in STATES:
            return reply({"message": "Unknown state", "code": "BadRequest"}, 400)
        consent["state"] = state
        return reply(consent)

    def add_routes(self, blueprint: Blueprint) -> None:
        """The endpoints, below the base URL of the cloud."""
        blueprint.post("/oauth2/token")(self.token)
        blueprint.post("/oauth2/logout")(self.logout)
        blueprint.post("/oauth2/v2/bc-authorize")(self.request_consent)
        blueprint.get("/oauth2/v2/bc-authorize/<hint>")(self.show_consent)
        blueprint.put("/oauth2/v2/bc-authorize/<hint>/status")(self.decide)

    def _consent(self, client: str, hint: str) -> dict[str, Any] | None:
        consent = self._consents.get((client, hint.lower()))
        if consent and consent["state"] == "Pending" and self._is_past(consent["expirationDate"]):
            consent["state"] = "Expired"
        if consent and consent["state"] == "Accepted" and self._is_revoked():
            return {**consent, "state": "Revoked"}
        return consent

    def _is_past(self, moment: str) -> bool:
        return datetime.fromisoformat(moment).timestamp() <= self._real_time()

    def _required_client(self) -> str:
        client = self.client_of_token()
        if client is None:
            raise Refused(Response(status=401))
        return client

    def _client_of_secret(self) -> str:
        client, secret = _client_credentials()
        if client not in SECRETS or SECRETS[client] != secret:
            raise Refused(_oauth_error("invalid_client", "Invalid client or Invalid client credentials", 401))
        return client


def _client_credentials() -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.values.get("client_id", ""), request.values.get("client_secret", "")
    try:
        client, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client), unquote_plus(secret)


def _token_json(issued: Issued) -> dict[str, Any]:
    return {
        "access_token": issued.access,
        "expires_in": issued.lifetime,
        "refresh_expires_in": 0,
        "refresh_token": issued.refresh,
        "token_type": "Bearer",
        "not-before-policy": 1626710983,
        "session_state": str(uuid4()),
        "scope": SCOPE,
    }


def _oauth_error(error: str, description: str, status: int = 400) -> Response:
    headers = {"WWW-Authenticate": "Basic"} if status == 401 else None
    return reply({"error": error, "error_description": description}, status, headers)
