"""Enphase Monitoring API v4.

Credential: `X-Authorization-enphase: Bearer <token>` and `X-enphase-api-key: <key>`, both of one application.
Calls: sites one per 100; devices ceil(S / 100) + S for S systems; one site 2, with batteries 5; one microinverter
3 + one per 100 of its system; one battery 4, the only one of its site 5 or 6; intervals as in `vendors.enphase.api`.
At most 2 in parallel: the quota is per key and fixed minute (10 calls on the free plan), and a burst spends it.
Quirks: a refused plan looks like a refused token (401). The free plan has no series of single devices and no settings.
A 429 has no Retry-After; its body may name the end of the minute. Names have stray blanks, time zones may be legacy
aliases or null.
Source: https://developer-v4.enphase.com/docs, read November 2026.
"""

from collections.abc import Iterator

from vendors.enphase.api import APPLICATION, PAGE_SIZE, EnphaseCloud
from vendors.enphase.errors import is_dispensable, is_gated, monitoring_failure
from vendors.enphase.records import page_of, to_site
from vendors.enphase.state import snapshots, with_snapshot
from vendors.kit import (
    CodeGrant,
    CredentialHeaders,
    Forbidden,
    Freshness,
    Key,
    Limits,
    ListCalls,
    NotFound,
    OwnersPassword,
    RawReply,
    Reply,
    Request,
    Site,
    SiteRow,
    SolarInverter,
    Variant,
    VendorError,
    bearer,
)
from vendors.kit.parsing.reading import Raw

SYSTEMS = "/api/v4/systems"
SNAPSHOTS = SYSTEMS + "/inverters_summary_by_envoy_or_site"

OWNERS = CodeGrant(
    {"enphase": "https://api.enphaseenergy.com/oauth/authorize"},
    {"enphase": "https://api.enphaseenergy.com/oauth/token"},
    authorization="Basic ",
    account="enl_uid",
    refresh_days=30,
)


class Enphase(EnphaseCloud):
    hosts = {"enphase": {"main": "https://api.enphaseenergy.com"}}
    titles = {"enphase": "Enphase"}
    no_control = "Enphase's Monitoring API sets the mode and the reserve of batteries, and takes no power and no end."
    credential_headers = CredentialHeaders(bearer, {"key": ("X-enphase-api-key",)})
    variants = (
        Variant("developerapp", APPLICATION, consent=OWNERS),
        Variant("partnerapp", APPLICATION, consent=OwnersPassword()),
    )
    limits = Limits(parallel=2, group=("key",))
    list_calls = ListCalls("1 for every 100 sites", "1 for every 100 sites, and 1 for each site")
    lacks = frozenset({
        "site.latitude", "site.longitude", "site.utc_offset_hours", "site.bess.mode", "solar_inverter.rated_power_kw",
        "solar_intervals.month", "battery.kind", "battery.rated_power_kw", "battery.recent_errors",
    })  # fmt: skip

    systems = SYSTEMS
    lifetime = "/energy_lifetime"
    events = "/open_events"
    settings = SYSTEMS + "/config/{}/battery_settings"

    def sign(self, request: Request) -> None:
        super().sign(request)
        # As a header: the vendor accepts the key in the query as well, and it would then stand in logs.
        request.headers["key"] = self.credential["key"]

    def failure(self, reply: Reply, request: Request) -> VendorError | RawReply | None:
        return monitoring_failure(reply, request)

    def on_unauthorized(self, reply: Reply, request: Request) -> VendorError | RawReply | None:
        if not self.client.answered and is_gated(request):
            # Cached replies do not show that the token is still good; a call that every plan covers does, or fails.
            self.client.get(SYSTEMS, params={"size": 1}, freshness=Freshness.UNCACHED)
        if not self.client.answered:
            return None
        if is_dispensable(request):
            return reply.instead({})
        # The same credential has just worked, so the refusal is of this call.
        refusal = Forbidden(reply.url, "the plan of the application does not cover this call")
        refusal.stops_the_sweep = True
        return refusal

    def sites(self) -> Iterator[SiteRow]:
        yield from self.client.pages(self._page_of_sites)

    def _page_of_sites(self, number: int) -> tuple[list[SiteRow], bool]:
        reply = self.client.get(SYSTEMS, params={"page": number, "size": PAGE_SIZE})
        return page_of(reply, "systems", to_site, read=number * PAGE_SIZE, total="total")

    def _known_site(self, key: Key) -> Site:
        reply = self._get("", *key)
        row = reply.record(to_site)
        if row is None:
            raise NotFound(reply.url, "the system is out of service")
        return row.record()

    def solar_inverter(self, key: Key) -> SolarInverter:
        inverter, _ = self._device(key, SolarInverter)
        snapshot = self.client.optional(lambda: self._snapshot(*key))
        return with_snapshot(self._with_day(inverter), snapshot.result() or {})

    def _snapshot(self, system: str, serial_number: str) -> Raw:
        """The microinverter in the summary of inverters; empty when it is not there.

        The summary does not report how many pages it has: the last page is short, or repeats inverters.
        """
        seen: set[str] = set()

        def page(number: int) -> tuple[list[tuple[str, Raw]], bool]:
            params: dict[str, str | int] = {"site_id": system, "page": number, "size": PAGE_SIZE}
            reply = self.client.get(SNAPSHOTS, params=params, freshness=Freshness.LIVE)
            inverters = reply.record(snapshots)
            new = inverters.keys() - seen
            seen.update(new)
            return list(inverters.items()), bool(new) and len(inverters) >= PAGE_SIZE

        return next((raw for listed, raw in self.client.pages(page) if listed == serial_number), {})
