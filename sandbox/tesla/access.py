"""The tokens of accounts, and the page on which owners give consent.

An access token lives eight hours. A refresh token works once: its answer brings the next one.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request

from sandbox.consent.authorization import PageRules
from sandbox.consent.codes import AuthorizationRequest, Codes
from sandbox.consent.consents import Consent, Consents
from sandbox.consent.jwt import jwt
from sandbox.consent.owners import by_email
from sandbox.consent.page import ConsentPage, Given
from sandbox.tesla.accounts import COMMAND_SCOPE, ENERGY_SCOPE, OTHER_SCOPES, READY, Account, account_of
from sandbox.tesla.constants import ACCESS_SECONDS, REFRESH_SECONDS, REUSE_SECONDS
from sandbox.tokens import Tokens
from sandbox.world import World

CLIENT, CLIENT_SECRET = "sandbox-tesla-client", "sandbox-tesla-secret"
RULES = PageRules(
    title="Tesla",
    reads="data of your energy products",
    scopes={
        "openid": "that you sign in with your Tesla account",
        "offline_access": "access also while you are away",
        "user_data": "your name and address",
        "vehicle_device_data": "data of your vehicles",
        ENERGY_SCOPE: "data of your energy products",
        COMMAND_SCOPE: "commands to your energy products",
    },
    required=("response_type", "scope", "state"),
    has_pkce=True,
)


class Access:
    """The accounts, their consents and tokens, in memory."""

    def __init__(self, world: World, home: Callable[[Account], str], is_single_use: Callable[[], bool]) -> None:
        """home: the region that an account lives in now. is_single_use: whether no refresh token works twice."""
        self._real_time, self._home = world.real_time, home
        self.accounts = by_email((*map(account_of, range(len(world.fleet.sites))), *READY))
        self.consents = Consents(world.clock.now)
        self.codes = Codes(self.consents, world.real_time)
        self.tokens = Tokens(
            ACCESS_SECONDS,
            world.real_time,
            clock=world.clock.now,
            refresh_lifetime=lambda _: REFRESH_SECONDS,
            reuse_seconds=lambda: 0.0 if is_single_use() else REUSE_SECONDS,
            make_access=self._jwt,
        )
        scopes = (*OTHER_SCOPES, ENERGY_SCOPE)
        self.ready = {
            account: self.consents.add(Consent(CLIENT, account, account.granted(scopes), is_ready=True))
            for account in READY
        }

    def add_routes(self, blueprint: Blueprint) -> None:
        """The page of consent, below the base of the cloud."""
        page = ConsentPage(RULES, self.consents, self.codes, self.accounts, CLIENT.__eq__, _give)
        page.add_routes(blueprint, "/oauth2/v3/authorize")

    def bearer(self) -> tuple[Consent | None, bool]:
        """The consent whose good token the request carries; and whether there is none because it has expired."""
        token = self.token_text()
        consent = self.tokens.consent_of(token)
        return consent, consent is None and self.tokens.has_expired(token)

    def token_text(self) -> str:
        """The bearer token of the request, whether it is good or not; "" without one."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def account(self, consent: Consent) -> Account:
        """The account of the owner who gave the consent."""
        return self.accounts[consent.owner.email.lower()]

    def _jwt(self, consent: Consent | None, seconds: int) -> str:
        """A token that can be read. An application's own names no owner."""
        now = int(self._real_time())
        claims: dict[str, Any] = {
            "iss": "https://fleet-auth.example.invalid/oauth2/v3/nts",
            "azp": CLIENT,
            "iat": now,
            "exp": now + seconds,
        }
        if consent:
            owner = self.account(consent)
            claims |= {"sub": f"sandbox-{owner.name}", "scp": consent.scopes, "ou_code": self._home(owner).upper()}
        return jwt(claims)


def _give(asked: AuthorizationRequest, owner: Account) -> Given:
    return Given(Consent(asked.client, owner, owner.granted(asked.scopes)))
