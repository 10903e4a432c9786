"""The v2 endpoints: credentials, problems, sites, devices, alerts. The series are in `sandbox.solaredge.series`."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request

from sandbox.consent.consents import Consents
from sandbox.dialect import Dialect, Resolution, SiteView
from sandbox.quotas import Spent
from sandbox.replies import Refused, reply
from sandbox.solaredge import constants, data_faults, sites
from sandbox.solaredge.access import API_KEY, CLIENT, CLIENT_SECRET, OWNER_TOKEN, Access
from sandbox.solaredge.alerts import Alert, alerts_of
from sandbox.solaredge.benefits import UNITS, benefits_of
from sandbox.solaredge.errors import error
from sandbox.solaredge.series import SeriesEndpoints
from sandbox.solaredge.sites import SolarEdgeSite
from sandbox.times import local, zone_of
from sandbox.tokens import Tokens
from sandbox.world import World
from simulation import Site


class SolarEdge(Dialect):
    """SolarEdge's cloud, for one account that owns every site, and the owner of each.

    Option: `alerts` (else all is well).
    """

    vendor = "solaredge"
    outside = ("/authorize", "/v2/oauth2/")
    options = ("alerts",)
    # Powers of the sun are the whole Wh of quarters.
    resolution = Resolution(seconds=900, power_w=4.0, soc_percent=0.001)
    data_faults = data_faults.CHANGES

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.access = Access(world)
        self.known: dict[str, SolarEdgeSite] = {
            key: seen for key, seen in self.by_id.items() if isinstance(seen, SolarEdgeSite)
        }

    def describe(self, site: Site) -> SiteView:
        return sites.site_view(site)

    def headers(self) -> dict[str, str]:
        return {"X-Authorization-solaredge": API_KEY}

    def credentials(self) -> Sequence[Mapping[str, str]]:
        return ({"type": "apikey", "apiKey": API_KEY},)

    def about(self, base: str) -> dict[str, Any]:
        owner = {"X-Authorization-solaredge": f"Bearer {OWNER_TOKEN}"}
        consent = {
            "url": f"{base}/authorize",
            "type": "oauthclient",
            "clientID": CLIENT,
            "clientSecret": CLIENT_SECRET,
        }
        ready = {"site_access": {"site": self.sites[0].site_id, "headers": owner}} if self.sites else {}
        return {"token": {"url": f"{base}/v2/oauth2/token"}, "consent": consent, **ready}

    @property
    def tokens(self) -> Tokens:
        return self.access.tokens

    @property
    def consents(self) -> Consents:
        return self.access.consents

    def credential(self) -> str:
        if not self._below().startswith("/v2/"):
            raise Refused(Response(constants.RETIRED_TEXT, status=410, content_type="text/plain"))
        held = self.access.held()
        if held is None:
            raise Refused(error(401, "Invalid API key"))
        return held

    def error(self, status: int, detail: str = "") -> Response:
        return error(status, detail)

    def too_many(self, spent: Spent) -> Response:
        """A spent minute comes with Retry-After; spent credits do not, and leave calls in the minute."""
        if spent.limit.is_plan:
            return error(429, "API credits exceeded")
        response = error(429, "API rate limit exceeded")
        response.headers["Retry-After"] = str(int(spent.wait) + 1)
        return response

    def finish(self, response: Response) -> Response:
        limit, calls_left = (
            self.world.quotas.left(self.vendor, self.access.held() or "") or (constants.LIFTED_PER_MINUTE,) * 2
        )
        response.headers["x-ratelimit-limit-minute"] = str(limit)
        response.headers["x-ratelimit-remaining-minute"] = str(calls_left)
        return response

    def routes(self) -> Blueprint:
        blueprint = Blueprint(self.vendor, __name__)
        self.access.add_routes(blueprint)
        blueprint.get("/v2/sites")(self.list_sites)
        blueprint.get("/v2/sites/<site_id>")(self.show_site)
        blueprint.get("/v2/sites/<site_id>/devices")(self.list_devices)
        blueprint.get("/v2/sites/<site_id>/alerts")(self.list_alerts)
        blueprint.get("/v2/sites/<site_id>/environmental-benefits")(self.show_benefits)
        blueprint.get("/v2/alerts")(self.list_fleet_alerts)
        SeriesEndpoints(self.site, self.world.clock).add_routes(blueprint)
        return blueprint

    def list_sites(self) -> Response:
        """A page of the sites."""
        self._demand_fleet()
        page, size = self._paging("sites-in-page", constants.DEFAULT_PAGE, constants.LARGEST_PAGE)
        everything = tuple(self.known.values())
        chosen = everything[(page - 1) * size : page * size]
        count = len(everything) if constants.COUNT_IS_TOTAL else len(chosen)
        return reply({"sites": {"count": count, "site": [sites.listed(seen) for seen in chosen]}})

    def show_site(self, site_id: str) -> Response:
        """One site."""
        seen = self.site(site_id)
        newest = local(900 * (self.now // 900), zone_of(seen.site)).isoformat()
        return reply(sites.detailed(seen, newest))

    def list_devices(self, site_id: str) -> Response:
        """The site's devices of the types asked for: inverters, if none is."""
        seen = self.site(site_id)
        types = request.args.getlist("types") or ["INVERTER"]
        for device_type in types:
            if device_type not in constants.DEVICE_TYPES:
                raise Refused(error(400, f"Unknown device type {device_type}"))
        return reply([entry for entry in seen.listed if entry["type"] in types])

    def list_alerts(self, site_id: str) -> Response:
        """A page of the site's alerts: all, or the open ones."""
        return self._page_of_alerts(self._alerts(self.site(site_id)))

    def list_fleet_alerts(self) -> Response:
        """A page of the alerts of all sites."""
        self._demand_fleet()
        return self._page_of_alerts([alert for seen in self.known.values() for alert in self._alerts(seen)])

    def show_benefits(self, site_id: str) -> Response:
        """The environmental benefits of the site."""
        seen, unit = self.site(site_id), request.args.get("unit", "METRIC")
        if unit not in UNITS:
            raise Refused(error(400, "Unknown unit"))
        return reply(benefits_of(seen, self.now - constants.LAG_SECONDS, unit))

    def site(self, site_id: str) -> SolarEdgeSite:
        """The site, if the credential may see it. Raises Refused."""
        seen = self.known.get(site_id)
        if seen is None:
            raise Refused(error(404, "Site not found"))
        if not self.access.covers(seen.site.number):
            raise Refused(error(403, "No access to this site"))
        return seen

    def _alerts(self, seen: SolarEdgeSite) -> list[Alert]:
        alerts = alerts_of(seen, self.now) if "alerts" in self.switched_on else []
        return (
            [alert for alert in alerts if alert["status"] == "OPEN"]
            if request.args.get("only-open") == "true"
            else alerts
        )

    def _page_of_alerts(self, alerts: list[Alert]) -> Response:
        page, size = self._paging("alerts-in-page", constants.DEFAULT_ALERTS, constants.MOST_ALERTS)
        return reply(alerts[(page - 1) * size : page * size])

    def _below(self) -> str:
        return request.path.removeprefix(f"/{self.vendor}")

    def _demand_fleet(self) -> None:
        if self.access.held() != API_KEY:
            raise Refused(error(constants.BEARER_WITHOUT_SITE_STATUS, "Only an API key may do this"))

    def _paging(self, size_name: str, default: int, most: int) -> tuple[int, int]:
        values = []
        for name, fallback, largest in (("page", 1, 10**9), (size_name, default, most)):
            text = request.args.get(name, str(fallback))
            if not text.isdecimal() or not 1 <= int(text) <= largest:
                raise Refused(error(400, f"{name} must be between 1 and {largest}"))
            values.append(int(text))
        return values[0], values[1]
