"""Keys and tokens: the key of the fleet's account, and the tokens of owners, each of one site (SolarEdge Connect)."""

from typing import Any

from flask import Blueprint, Response, request

from sandbox.consent.authorization import PageRules
from sandbox.consent.codes import AuthorizationRequest, BadCode, Codes
from sandbox.consent.consents import Consent, Consents, State
from sandbox.consent.owners import Owner, by_email, owner_of
from sandbox.consent.page import ConsentPage, Given
from sandbox.replies import Refused, reply
from sandbox.solaredge.constants import ACCESS_SECONDS, DEVICE_SCOPE, LONGEST_MONTHS, REFRESH_SECONDS, SITE_SCOPE
from sandbox.solaredge.sites import site_id
from sandbox.times import months_later
from sandbox.tokens import Issued, Tokens
from sandbox.world import World

# Made up. The token is an owner's, for the first site only, without an end.
API_KEY, OWNER_TOKEN = "sandbox-solaredge-key", "sandbox-solaredge-owner-token"
CLIENT, CLIENT_SECRET = "sandbox-solaredge-client", "sandbox-solaredge-secret"
READY_SITES = frozenset({0})
RULES = PageRules(
    title="SolarEdge",
    reads="one site of yours",
    scopes={SITE_SCOPE: "data of your site", DEVICE_SCOPE: "data of its devices"},
    required=(),
    longest_months=LONGEST_MONTHS,
)


class Access:
    """What opens the sites: the key opens all, a token the site that its owner chose."""

    def __init__(self, world: World) -> None:
        self.consents = Consents(world.clock.now)
        self.tokens = Tokens(
            ACCESS_SECONDS, world.real_time, clock=world.clock.now, refresh_lifetime=lambda _: REFRESH_SECONDS
        )
        self._codes = Codes(self.consents, world.real_time)
        self._owners = by_email(map(owner_of, range(len(world.fleet.sites))))

    def add_routes(self, blueprint: Blueprint) -> None:
        """The page of consent and the token endpoints."""
        page = ConsentPage(RULES, self.consents, self._codes, self._owners, CLIENT.__eq__, self._give)
        page.add_routes(blueprint, "/authorize")
        blueprint.post("/v2/oauth2/token")(self.token)
        blueprint.post("/v2/oauth2/revoke-token")(self.revoke)

    def held(self) -> str | None:
        """The key or token of the request, if it is good."""
        token = _bearer()
        if token == OWNER_TOKEN or self.tokens.consent_of(token):
            return token
        return API_KEY if request.headers.get("X-API-Key") == API_KEY else None

    def covers(self, number: int) -> bool:
        """Whether the key or token of the request opens the fleet's site with that number."""
        held = self.held()
        if held in (API_KEY, OWNER_TOKEN):
            return held == API_KEY or number in READY_SITES
        consent = self.tokens.consent_of(held or "")
        return consent is not None and consent.owner.owns(number)

    def token(self) -> Response:
        """Answers `POST /v2/oauth2/token`, whose parameters stand in JSON."""
        body = _body()
        _demand_client(body)
        grants = {"authorization_code": self._of_code, "refresh_token": self._of_refresh_token}
        grant = str(body.get("grant_type", ""))
        if grant not in grants:
            return _refusal("unsupported_grant_type" if grant else "invalid_request", "Unsupported grant type")
        issued, consent = grants[grant](body)
        answer = {
            "access_token": issued.access,
            "token_type": "Bearer",
            "expires_in": issued.lifetime,
            "refresh_token": issued.refresh,
            "scope": " ".join(consent.scopes if consent else ()),
        }
        return reply(answer, headers={"Cache-Control": "no-store"})

    def revoke(self) -> Response:
        """Answers `POST /v2/oauth2/revoke-token`: ends the consent behind an access or refresh token, and says the same
        for a token that is unknown (RFC 7009)."""
        consent = self.tokens.end(str(_body().get("token", "")))
        if consent:
            consent.decisions.append((self.consents.now(), State.REVOKED))
        return Response(status=200)

    def _of_code(self, body: dict[str, Any]) -> tuple[Issued, Consent]:
        """The redirect URI is not among the documented parameters; it must be right if it is there."""
        target = body.get("redirect_uri")
        try:
            consent = self._codes.redeem(str(body.get("code", "")), CLIENT, None if target is None else str(target))
        except BadCode:
            raise Refused(_refusal("invalid_grant", "Invalid code")) from None
        return self.tokens.issue(CLIENT, consent), consent

    def _of_refresh_token(self, body: dict[str, Any]) -> tuple[Issued, Consent | None]:
        renewed = self.tokens.refresh(str(body.get("refresh_token", "")), CLIENT)
        if renewed is None:
            raise Refused(_refusal("invalid_grant", "Invalid refresh_token"))
        return renewed

    def _give(self, asked: AuthorizationRequest, owner: Owner) -> Given:
        """A consent for the owner's only site: an account with several cannot give one here, and is none of these."""
        ends_at = months_later(self.consents.now(), asked.months or LONGEST_MONTHS)
        (number,) = owner.sites or READY_SITES
        return Given(Consent(asked.client, owner, asked.scopes, ends_at=ends_at), {"site_id": site_id(number)})


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(_refusal("invalid_request", "JSON is expected"))
    return body


def _demand_client(body: dict[str, Any]) -> None:
    if (body.get("client_id"), body.get("client_secret")) != (CLIENT, CLIENT_SECRET):
        raise Refused(_refusal("invalid_client", "Invalid client"))


def _refusal(error: str, description: str) -> Response:
    return reply({"error": error, "error_description": description}, 400)
