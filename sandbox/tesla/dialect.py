"""The endpoints of the Fleet API: regions, lists and details. The histories are in `sandbox.tesla.history`."""

import secrets
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, request

from sandbox.consent.consents import Consent, Consents
from sandbox.dialect import Dialect, Resolution, SiteView
from sandbox.quotas import Spent
from sandbox.replies import Refused
from sandbox.tesla import access, accounts, constants, data_faults, history
from sandbox.tesla.access import Access
from sandbox.tesla.accounts import Account
from sandbox.tesla.envelope import failure, success
from sandbox.tesla.info import site_info
from sandbox.tesla.live import live_status
from sandbox.tesla.partner import REGISTRATION, Partner
from sandbox.tesla.products import products
from sandbox.tesla.sites import RETIRED_ID, TeslaSite, site_view
from sandbox.tesla.token_endpoint import TokenEndpoint
from sandbox.tokens import Tokens
from sandbox.world import World
from simulation import Site


class Tesla(Dialect):
    """Tesla's energy cloud in three regions. The ready accounts own all sites or none, each other one owns one."""

    vendor = "tesla"
    # A charge is not rounded.
    resolution = Resolution(soc_percent=0.0)
    data_faults = data_faults.CHANGES
    outside = ("/oauth2/",)
    # retired: a site that was taken down is listed. no_time_zone: the zone's name is "" everywhere. empty_401: without
    # a body. demand_content_type: 406 for calls that do not say application/json, as documented. single_use: a refresh
    # token whose answer was lost is not taken again. demand_registration: 412 in a region without a registration.
    options = ("retired", "no_time_zone", "empty_401", "demand_content_type", "single_use", "demand_registration")
    choices = {"region": tuple(constants.REGIONS)}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.access = Access(world, self.home, lambda: "single_use" in self.switched_on)
        self.partner = Partner(self._is_partner, lambda: self._asked()[0])
        self.known: dict[str, TeslaSite] = {
            key: seen for key, seen in self.by_id.items() if isinstance(seen, TeslaSite)
        }

    def describe(self, site: Site) -> SiteView:
        return site_view(site)

    def home(self, account: Account) -> str:
        """The region that the account lives in."""
        return account.region or self.chosen["region"]

    def headers(self) -> dict[str, str]:
        """The token is opaque, as clients may not rely on reading it."""
        opaque = secrets.token_urlsafe(48)
        self.tokens.issue(access.CLIENT, self.access.ready[accounts.OWNER], access=opaque)
        return {f"X-Authorization-{self.vendor}": f"Bearer {opaque}"}

    @property
    def tokens(self) -> Tokens:
        return self.access.tokens

    @property
    def consents(self) -> Consents:
        return self.access.consents

    def about(self, base: str) -> dict[str, Any]:
        ready = {
            "jwt": accounts.OWNER,
            "european": accounts.EUROPEAN,
            "without_scope": accounts.WITHOUT_SCOPE,
            "without_products": accounts.WITHOUT_PRODUCTS,
        }
        issued = self.tokens.issue(access.CLIENT, self.access.ready[accounts.OWNER])
        return {
            "regions": {region: base + prefix for region, prefix in constants.REGIONS.items()},
            "token": {
                "url": f"{base}/oauth2/v3/token",
                "client_id": access.CLIENT,
                "client_secret": access.CLIENT_SECRET,
                "refresh_token": issued.refresh,
            },
            "consent": {
                "url": f"{base}/oauth2/v3/authorize",
                "type": "app",
                "clientID": access.CLIENT,
                "clientSecret": access.CLIENT_SECRET,
            },
            "accounts": {name: {"headers": self._header(account)} for name, account in ready.items()},
        }

    def credential(self) -> str:
        region, path = self._asked()
        if path.startswith(REGISTRATION):
            return access.CLIENT
        consent, is_expired = self.access.bearer()
        if consent is None:
            raise Refused(self._unauthorized(constants.EXPIRED_TEXT if is_expired else constants.ERRORS[401]))
        account = self.access.account(consent)
        if "demand_content_type" in self.switched_on and request.mimetype != "application/json":
            raise Refused(self.error(406, "Content-Type must be application/json"))
        if path != constants.REGION_CALL and region != self.home(account):
            raise Refused(self.error(421))
        if "demand_registration" in self.switched_on and not self.partner.is_registered:
            raise Refused(self.error(constants.UNREGISTERED_STATUS))
        return account.name

    def error(self, status: int, detail: str = "") -> Response:
        return failure(status, detail)

    def too_many(self, spent: Spent) -> Response:
        wait = int(spent.wait) + 1
        headers = {
            "Retry-After": str(wait),
            "RateLimit-Limit": str(spent.limit.calls),
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": str(wait),
        }
        return Response(f"Retry in {wait} seconds", status=429, headers=headers, content_type="text/plain")

    def finish(self, response: Response) -> Response:
        response.headers["x-txid"] = uuid4().hex
        return response

    def routes(self) -> Blueprint:
        blueprint = Blueprint(self.vendor, __name__)
        blueprint.post("/oauth2/v3/token")(TokenEndpoint(self.access).token)
        self.access.add_routes(blueprint)
        site = "/api/1/energy_sites/<site_id>"
        views: dict[str, Callable[..., Response]] = {
            constants.REGION_CALL: self.show_region,
            "/api/1/products": self.list_products,
            f"{site}/site_info": self.show_site,
            f"{site}/live_status": self.show_live,
            f"{site}/calendar_history": self.show_calendar,
            f"{site}/telemetry_history": self.show_telemetry,
        }
        for region, prefix in constants.REGIONS.items():
            for path, view in views.items():
                blueprint.add_url_rule(f"{prefix}{path}", f"{region}{path}", view)
            blueprint.post(f"{prefix}{REGISTRATION}", endpoint=f"{region}-register")(self.partner.register)
            blueprint.get(f"{prefix}{REGISTRATION}/public_key", endpoint=f"{region}-key")(self.partner.show)
        return blueprint

    def show_region(self) -> Response:
        """The region of the account."""
        region = self.home(self.access.account(self._consent()))
        base = f"{request.host_url}{self.vendor}{constants.REGIONS[region]}"
        return success({"region": region, "fleet_api_base_url": base})

    def list_products(self) -> Response:
        """All products of the account, on one page."""
        account = self._reader()
        listed: list[dict[str, Any]] = []
        if account.sites != accounts.NO_SITES:
            owned = [seen for seen in self.known.values() if account.owns(seen.site.number)]
            listed = products(owned, self.now, with_retired="retired" in self.switched_on)
        return success(listed, count=len(listed))

    def show_site(self, site_id: str) -> Response:
        """The site's settings and devices."""
        seen = self.site(site_id)
        return success(site_info(seen, self.time_zone(seen)))

    def show_live(self, site_id: str) -> Response:
        """The site's powers."""
        return success(live_status(self.site(site_id), self.now))

    def show_calendar(self, site_id: str) -> Response:
        """The site's energies."""
        seen = self.site(site_id)
        return success(history.calendar(seen, self.time_zone(seen), self.now))

    def show_telemetry(self, site_id: str) -> Response:
        """The energy that vehicles were charged with at the site."""
        self.site(site_id)
        return success(history.telemetry())

    def time_zone(self, seen: TeslaSite) -> str:
        """The name of the site's zone, which some real sites have empty."""
        return "" if "no_time_zone" in self.switched_on else seen.site.place.timezone

    def site(self, site_id: str) -> TeslaSite:
        """The site, if the account owns it. Raises Refused."""
        account = self._reader()
        if site_id == RETIRED_ID and "retired" in self.switched_on:
            raise Refused(failure(500, error=constants.RETIRED_TEXT))
        seen = self.known.get(site_id)
        if seen is None or not account.owns(seen.site.number):
            raise Refused(self.error(404))
        return seen

    def _reader(self) -> Account:
        """The account, if its owner grants the data of energy products."""
        consent = self._consent()
        if accounts.ENERGY_SCOPE not in consent.scopes:
            raise Refused(self.error(403))
        return self.access.account(consent)

    def _consent(self) -> Consent:
        consent, _ = self.access.bearer()
        if consent is None:
            raise Refused(self._unauthorized(constants.ERRORS[401]))
        return consent

    def _is_partner(self) -> bool:
        token = self.access.token_text()
        return self.tokens.client_of(token) is not None and self.tokens.consent_of(token) is None

    def _unauthorized(self, text: str) -> Response:
        return Response(status=401) if "empty_401" in self.switched_on else failure(401, error=text)

    def _asked(self) -> tuple[str, str]:
        """The region whose instance is asked, and the path below its base."""
        path = request.path.removeprefix(f"/{self.vendor}")
        for region, prefix in constants.REGIONS.items():
            if prefix and path.startswith(f"{prefix}/"):
                return region, path.removeprefix(prefix)
        return next(iter(constants.REGIONS)), path

    def _header(self, account: Account) -> dict[str, str]:
        """The header with a fresh token of an account that is there from the start."""
        issued = self.tokens.issue(access.CLIENT, self.access.ready[account])
        return {f"X-Authorization-{self.vendor}": f"Bearer {issued.access}"}
