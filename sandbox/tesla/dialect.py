"""The endpoints of the Fleet API: regions, lists and details. The histories are in `sandbox.tesla.history`."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, request

from sandbox.dialect import Dialect, Resolution, SiteView
from sandbox.quotas import Spent
from sandbox.replies import Refused
from sandbox.tesla import access, constants, data_faults, history
from sandbox.tesla.access import Access, Account
from sandbox.tesla.envelope import failure, success
from sandbox.tesla.info import site_info
from sandbox.tesla.live import live_status
from sandbox.tesla.products import products
from sandbox.tesla.sites import RETIRED_ID, TeslaSite, site_view
from sandbox.world import World
from simulation import Site


class Tesla(Dialect):
    """Tesla's energy cloud in three regions, for accounts that own every site."""

    vendor = "tesla"
    # A charge is not rounded.
    resolution = Resolution(soc_percent=0.0)
    data_faults = data_faults.CHANGES
    outside = ("/oauth2/",)
    # retired: a site that was taken down is listed. no_time_zone: the zone's name is "" everywhere. empty_401: without
    # a body. demand_content_type: 406 for calls that do not say application/json, as documented.
    options = ("retired", "no_time_zone", "empty_401", "demand_content_type")
    choices = {"region": tuple(constants.REGIONS)}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.access = Access(world.real_time, self.home)
        self.known: dict[str, TeslaSite] = {
            key: seen for key, seen in self.by_id.items() if isinstance(seen, TeslaSite)
        }

    def describe(self, site: Site) -> SiteView:
        return site_view(site)

    def home(self, account: Account) -> str:
        """The region that the account lives in."""
        return account.region or self.chosen["region"]

    def headers(self) -> dict[str, str]:
        return self._header(self.access.issue(access.OWNER, opaque=True))

    def about(self, base: str) -> dict[str, Any]:
        accounts = {
            "jwt": access.OWNER,
            "european": access.EUROPEAN,
            "without_scope": access.WITHOUT_SCOPE,
            "without_products": access.WITHOUT_PRODUCTS,
        }
        refresh = {"client_id": access.CLIENT, "refresh_token": self.access.issue_refresh(access.OWNER)}
        return {
            "regions": {region: base + prefix for region, prefix in constants.REGIONS.items()},
            "token": {"url": f"{base}/oauth2/v3/token", **refresh},
            "accounts": {
                name: {"headers": self._header(self.access.issue(account))} for name, account in accounts.items()
            },
        }

    def credential(self) -> str:
        account, is_expired = self.access.bearer()
        if account is None:
            raise Refused(self._unauthorized(constants.EXPIRED_TEXT if is_expired else constants.ERRORS[401]))
        if "demand_content_type" in self.switched_on and request.mimetype != "application/json":
            raise Refused(self.error(406, "Content-Type must be application/json"))
        region, path = self._asked()
        if path != constants.REGION_CALL and region != self.home(account):
            raise Refused(self.error(421))
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
        blueprint.post("/oauth2/v3/token")(self.access.token)
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
        return blueprint

    def show_region(self) -> Response:
        """The region of the account."""
        region = self.home(self._account())
        base = f"{request.host_url}{self.vendor}{constants.REGIONS[region]}"
        return success({"region": region, "fleet_api_base_url": base})

    def list_products(self) -> Response:
        """All products of the account, on one page."""
        account = self._reader()
        listed: list[dict[str, Any]] = []
        if account.has_products:
            listed = products(tuple(self.known.values()), self.now, with_retired="retired" in self.switched_on)
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
        if site_id not in self.known or not account.has_products:
            raise Refused(self.error(404))
        return self.known[site_id]

    def _reader(self) -> Account:
        account = self._account()
        if not account.reads_energy:
            raise Refused(self.error(403))
        return account

    def _account(self) -> Account:
        account, _ = self.access.bearer()
        if account is None:
            raise Refused(self._unauthorized(constants.ERRORS[401]))
        return account

    def _unauthorized(self, text: str) -> Response:
        return Response(status=401) if "empty_401" in self.switched_on else failure(401, error=text)

    def _asked(self) -> tuple[str, str]:
        """The region whose instance is asked, and the path below its base."""
        path = request.path.removeprefix(f"/{self.vendor}")
        for region, prefix in constants.REGIONS.items():
            if prefix and path.startswith(f"{prefix}/"):
                return region, path.removeprefix(prefix)
        return next(iter(constants.REGIONS)), path

    def _header(self, token: str) -> dict[str, str]:
        return {f"X-Authorization-{self.vendor}": f"Bearer {token}"}
