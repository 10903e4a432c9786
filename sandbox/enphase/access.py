"""The tokens of this cloud, its token endpoint, and the page on which owners give consent."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, request

from sandbox.consent.authorization import PageRules
from sandbox.consent.codes import AuthorizationRequest, BadCode, Codes
from sandbox.consent.consents import Consent, Consents
from sandbox.consent.owners import Owner, by_email, owner_of
from sandbox.consent.page import ConsentPage, Given
from sandbox.enphase.applications import BY_CLIENT, PASSWORD, USERNAME, Application
from sandbox.enphase.constants import PARTNER, REFRESH_SECONDS, TOKEN_SECONDS
from sandbox.enphase.systems.requests import bearer, client_credentials
from sandbox.replies import Refused, reply
from sandbox.tokens import Issued, Tokens
from sandbox.world import World

RULES = PageRules(title="Enphase", reads="your systems, their devices and what they produce and consume")
# The account that an installer's or a ready token stands for. Owners' follow it, by the number of their site.
FIRST_ACCOUNT = 1_000_001


class Access:
    """The applications' tokens, in their own names and in those of owners."""

    def __init__(self, world: World) -> None:
        self.consents = Consents(world.clock.now)
        self.tokens = Tokens(
            TOKEN_SECONDS, world.real_time, clock=world.clock.now, refresh_lifetime=lambda _: REFRESH_SECONDS
        )
        self._codes = Codes(self.consents, world.real_time)
        self._owners = by_email(map(owner_of, range(len(world.fleet.sites))))

    def headers(self, application: Application) -> dict[str, str]:
        """Both credentials of an application, with a fresh token."""
        token = self.tokens.issue(application.client_id).access
        return {"X-Authorization-enphase": f"Bearer {token}", "X-enphase-api-key": application.key}

    def holder(self) -> Application | None:
        """The application whose token the request carries."""
        return BY_CLIENT.get(self.tokens.client_of(bearer()) or "")

    def owner(self) -> Owner | None:
        """The owner whose consent is behind the token of the request; None if it is the application's own."""
        consent = self.tokens.consent_of(bearer())
        return consent.owner if consent else None

    def add_routes(self, blueprint: Blueprint) -> None:
        """The endpoints below the base of the cloud."""
        page = ConsentPage(RULES, self.consents, self._codes, self._owners, BY_CLIENT.__contains__, _give)
        page.add_routes(blueprint, "/oauth/authorize")
        blueprint.post("/oauth/token")(self.token)

    def token(self) -> Response:
        """Answers `POST /oauth/token`, whose parameters may stand in the query or in a form."""
        client, secret = client_credentials()
        application = BY_CLIENT.get(client)
        if application is None or application.client_secret != secret:
            return _refusal("invalid_client", "Bad client credentials", 401)
        grants: dict[str, Callable[[Application], tuple[Issued, Consent | None]]] = {
            "authorization_code": self._of_code,
            "password": self._of_password,
            "refresh_token": self._of_refresh_token,
        }
        grant = request.values.get("grant_type", "")
        if grant not in grants:
            return _refusal("unsupported_grant_type" if grant else "invalid_request", "Unsupported grant type")
        return reply(_granted(*grants[grant](application)), headers={"Cache-Control": "no-store"})

    def _of_code(self, application: Application) -> tuple[Issued, Consent]:
        code, target = (request.values.get(name, "") for name in ("code", "redirect_uri"))
        try:
            consent = self._codes.redeem(code, application.client_id, target)
        except BadCode:
            raise Refused(_refusal("invalid_grant", "Invalid authorization code")) from None
        return self.tokens.issue(application.client_id, consent), consent

    def _of_password(self, application: Application) -> tuple[Issued, None]:
        """Only partner applications may use the installer's own password."""
        login = request.values.get("username"), request.values.get("password")
        if application.plan != PARTNER or login != (USERNAME, PASSWORD):
            raise Refused(_refusal("invalid_grant", "Invalid password"))
        return self.tokens.issue(application.client_id), None

    def _of_refresh_token(self, application: Application) -> tuple[Issued, Consent | None]:
        renewed = self.tokens.refresh(request.values.get("refresh_token", ""), application.client_id)
        if renewed is None:
            raise Refused(_refusal("invalid_grant", "Invalid refresh token"))
        return renewed


def _give(asked: AuthorizationRequest, owner: Owner) -> Given:
    return Given(Consent(asked.client, owner))


def _granted(issued: Issued, consent: Consent | None) -> dict[str, Any]:
    account = FIRST_ACCOUNT + (1 + min(consent.owner.sites or {0}) if consent else 0)
    return {
        "access_token": issued.access,
        "token_type": "bearer",
        "refresh_token": issued.refresh,
        "expires_in": issued.lifetime,
        "scope": "read write",
        "enl_uid": str(account),
        "enl_cid": "1001",
        "enl_password_last_changed": "1638870641",
        "is_internal_app": False,
        "app_type": "system",
        "jti": str(uuid4()),
    }


def _refusal(error: str, description: str, status: int = 400) -> Response:
    headers = {"WWW-Authenticate": "Basic"} if status == 401 else None
    return reply({"error": error, "error_description": description}, status, headers)
