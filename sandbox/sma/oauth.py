"""SMA's token endpoint, and the page on which owners give consent in a browser.

The clients are made up. CLIENT has the consent of OWNER, who owns all plants, from the start; NEW_CLIENT has to ask.
"""

import secrets
from base64 import b64decode
from collections.abc import Callable, Sequence
from math import inf
from typing import Any
from urllib.parse import unquote_plus
from uuid import uuid4

from flask import Blueprint, Response, request

from sandbox.consent.authorization import PageRules
from sandbox.consent.codes import AuthorizationRequest, BadCode, Codes
from sandbox.consent.consents import Consent, Consents
from sandbox.consent.jwt import jwt
from sandbox.consent.owners import Owner, by_email, owner_of
from sandbox.consent.page import ConsentPage, Given
from sandbox.replies import Refused, reply
from sandbox.sma.back_channel import BackChannel
from sandbox.sma.constants import OFFLINE_SCOPE, ONLINE_SECONDS, OWNER_EMAIL
from sandbox.tokens import Issued, Tokens
from sandbox.world import World

CLIENT, CLIENT_SECRET = "sandbox-client", "sandbox-secret"
NEW_CLIENT, NEW_CLIENT_SECRET = "sandbox-new-client", "sandbox-new-secret"
SECRETS = {CLIENT: CLIENT_SECRET, NEW_CLIENT: NEW_CLIENT_SECRET}
TOKEN_SECONDS = 300
SCOPE = "profile monitoringApi:read email offline_access"
OWNER = Owner(OWNER_EMAIL)
RULES = PageRules(
    title="SMA",
    reads="your plants, their devices and measurements",
    scopes={
        "openid": "that you sign in with your SMA account",
        "profile": "your name",
        "email": "your address",
        "monitoringApi:read": "data of your plants",
        OFFLINE_SCOPE: "access also while you are away",
    },
)


class Access:
    """The tokens of one cloud, and which owners' plants each opens."""

    def __init__(self, world: World) -> None:
        self.consents = Consents(world.clock.now)
        self.tokens = Tokens(
            TOKEN_SECONDS,
            world.real_time,
            clock=world.clock.now,
            refresh_lifetime=_refresh_lifetime,
            make_access=_access_token,
        )
        self._codes = Codes(self.consents, world.real_time)
        self._owners = by_email((*map(owner_of, range(len(world.fleet.sites))), OWNER))
        self.consents.add(Consent(CLIENT, OWNER, is_in_writing=True, is_ready=True))

    def add_routes(self, blueprint: Blueprint) -> None:
        """The endpoints, below the base URL of the cloud."""
        page = ConsentPage(RULES, self.consents, self._codes, self._owners, SECRETS.__contains__, _give)
        page.add_routes(blueprint, "/oauth2/auth")
        blueprint.post("/oauth2/token")(self.token)
        blueprint.post("/oauth2/logout")(self.logout)
        BackChannel(self.consents, self._owners, self.client_of_token).add_routes(blueprint)

    def client_of_token(self) -> str | None:
        """The client whose bearer token the request carries; None without a valid token, and for that of an owner."""
        token = _bearer()
        return None if self.tokens.consent_of(token) else self.tokens.client_of(token)

    def quota_of_token(self) -> str | None:
        """Whose quota the request uses; None without a valid token."""
        consent, client = self.tokens.consent_of(_bearer()), self.tokens.client_of(_bearer())
        return f"{client} {consent.owner.email}" if consent else client

    def owners(self) -> Sequence[Owner]:
        """The owners whose plants the bearer token opens: the one who gave consent to it in a browser, or all who gave
        consent to its client by e-mail."""
        consent, client = self.tokens.consent_of(_bearer()), self.client_of_token()
        if consent:
            return [consent.owner]
        return self.consents.given_in_writing(client) if client else []

    def token(self) -> Response:
        """Answers `POST /oauth2/token`: client credentials, code or refresh token, by Basic or by form fields."""
        client = _client_of_secret()
        grants: dict[str, Callable[[str], tuple[Issued, Consent | None]]] = {
            "client_credentials": lambda client: (self.tokens.issue(client), None),
            "authorization_code": self._of_code,
            "refresh_token": self._of_refresh_token,
        }
        grant = request.values.get("grant_type", "")
        if grant not in grants:
            return _oauth_error("unsupported_grant_type" if grant else "invalid_request", "Unsupported grant_type")
        return reply(_token_json(*grants[grant](client)), headers={"Cache-Control": "no-store"})

    def logout(self) -> Response:
        """Answers `POST /oauth2/logout`: makes the refresh token invalid."""
        self.tokens.end(request.values.get("refresh_token", ""), _client_of_secret())
        return Response(status=204)

    def _of_code(self, client: str) -> tuple[Issued, Consent]:
        code, target = (request.values.get(name, "") for name in ("code", "redirect_uri"))
        try:
            consent = self._codes.redeem(code, client, target)
        except BadCode:
            raise Refused(_oauth_error("invalid_grant", "Code not valid")) from None
        return self.tokens.issue(client, consent), consent

    def _of_refresh_token(self, client: str) -> tuple[Issued, Consent | None]:
        renewed = self.tokens.refresh(request.values.get("refresh_token", ""), client)
        if renewed is None:
            raise Refused(_oauth_error("invalid_grant", "Invalid refresh token"))
        return renewed


def _give(asked: AuthorizationRequest, owner: Owner) -> Given:
    return Given(Consent(asked.client, owner, asked.scopes))


def _is_offline(consent: Consent | None) -> bool:
    return consent is None or OFFLINE_SCOPE in consent.scopes


def _refresh_lifetime(consent: Consent | None) -> float:
    return inf if _is_offline(consent) else ONLINE_SECONDS


def _access_token(consent: Consent | None, _seconds: int) -> str:
    """A token that names the owner; an opaque one for a client itself. Both were seen."""
    return jwt({"sub": f"sandbox-{consent.owner.name}"}) if consent else secrets.token_urlsafe(32)


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _client_of_secret() -> str:
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


def _token_json(issued: Issued, consent: Consent | None) -> dict[str, Any]:
    return {
        "access_token": issued.access,
        "expires_in": issued.lifetime,
        "refresh_expires_in": 0 if _is_offline(consent) else ONLINE_SECONDS,
        "refresh_token": issued.refresh,
        "token_type": "Bearer",
        "not-before-policy": 1626710983,
        "session_state": str(uuid4()),
        "scope": " ".join(consent.scopes) if consent else SCOPE,
    }


def _oauth_error(error: str, description: str, status: int = 400) -> Response:
    headers = {"WWW-Authenticate": "Basic"} if status == 401 else None
    return reply({"error": error, "error_description": description}, status, headers)
