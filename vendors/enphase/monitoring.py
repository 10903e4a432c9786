"""Enphase Monitoring API v4.

Credential: `X-Authorization-enphase: Bearer <token>` and `X-enphase-api-key: <key>`, both of one application.
Calls: sites one per 100; devices ceil(S / 100) + S for S systems; one site 2, with batteries 5; one microinverter
3 + one per 100 of its system; one battery 4, the only one of its site 5 or 6; intervals as in `vendors.enphase.api`.
At most 2 in parallel: a quota is a fixed minute (10 calls on the free plan), belongs to the key, and is spent by
bursts.
Quirks: a refused plan looks like a refused token (401). The free plan has no series of single devices and no settings.
A 429 has no Retry-After; its body may tell when the minute ends. Names have stray blanks, time zones may be legacy
aliases or null.
Source: https://developer-v4.enphase.com/docs, read November 2026.
"""

from collections.abc import Iterator

from vendors.enphase.api import EnphaseCloud
from vendors.enphase.errors import without_data
from vendors.enphase.present import with_snapshot
from vendors.enphase.records import to_site
from vendors.kit import (
    CredentialHeaders,
    Forbidden,
    Freshness,
    Key,
    Limits,
    NotFound,
    RateLimited,
    RawReply,
    Reply,
    Request,
    Site,
    SiteRow,
    SolarInverter,
    Unauthorized,
    VendorError,
    bearer,
)
from vendors.kit.parsing.reading import Raw, epoch, optional_text, rows, text

SYSTEMS = "/api/v4/systems"
PAGE_SIZE = 100
MISMATCH = "api key -client mismatch"
# What not every plan has ends so: series of single devices, and settings.
GATED = ("/telemetry", "/battery_settings")


class Enphase(EnphaseCloud):
    hosts = {"enphase": {"main": "https://api.enphaseenergy.com"}}
    credential_headers = CredentialHeaders(bearer, {"key": ("X-enphase-api-key",)})
    limits = Limits(parallel=2, group=("key",))
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
        # As a header: the key works in the query as well, and would then stand in logs.
        request.headers["key"] = self.credential["key"]

    def failure(self, reply: Reply, request: Request) -> VendorError | RawReply | None:
        if reply.status == 401 and (optional_text(reply.json_object, "message") or "").lower() == MISMATCH:
            return Unauthorized(reply.url, "the API key and the token belong to different applications")
        if reply.status == 403 and is_spare(request):
            return reply.instead({})
        # 409 is what version 2 of the API said, and is documented nowhere for this one.
        if reply.status == 429 or (reply.status == 409 and "limit" in str(reply.json_object.get("details")).lower()):
            return limited(reply)
        return without_data(reply, request)

    def on_unauthorized(self, reply: Reply, request: Request) -> VendorError | RawReply | None:
        if not self.client.answered and is_gated(request):
            # Cached replies do not show that the token is still good; a call that every plan covers does, or fails.
            self.client.get(SYSTEMS, params={"size": 1}, freshness=Freshness.UNCACHED)
        if not self.client.answered:
            return None
        if is_spare(request):
            return reply.instead({})
        # The same credential worked a moment ago, so it is what the call asks for that is refused.
        refusal = Forbidden(reply.url, "the plan of the application does not cover this call")
        refusal.stops_the_sweep = True
        return refusal

    def sites(self) -> Iterator[SiteRow]:
        yield from self.client.pages(self._page)

    def _page(self, number: int) -> tuple[list[SiteRow], bool]:
        reply = self.client.get(SYSTEMS, params={"page": number, "size": PAGE_SIZE})
        more = reply.record(lambda raw: bool(raw["systems"]) and number * PAGE_SIZE < int(raw["total"]))
        return reply.rows("systems", to=to_site), more

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

        Nothing tells how many pages there are: the last one is short, or has no inverter that is new.
        """
        seen: set[str] = set()

        def page(number: int) -> tuple[list[tuple[str, Raw]], bool]:
            params: dict[str, str | int] = {"site_id": system, "page": number, "size": PAGE_SIZE}
            reply = self.client.get(
                SYSTEMS + "/inverters_summary_by_envoy_or_site", params=params, freshness=Freshness.LIVE
            )
            found = reply.record(lambda raw: dict(in_groups(raw)))
            new = found.keys() - seen
            seen.update(new)
            return list(found.items()), bool(new) and len(found) >= PAGE_SIZE

        return next((raw for serial, raw in self.client.pages(page) if serial == serial_number), {})


def is_gated(request: Request) -> bool:
    """Whether the call is one that not every plan covers."""
    return request.path.endswith(GATED)


def is_spare(request: Request) -> bool:
    """Whether a record can do without it: all gated calls but those for a span of a series."""
    return is_gated(request) and "start_at=" not in request.url


def in_groups(raw: object) -> Iterator[tuple[str, Raw]]:
    """Serial numbers and rows of the summary of inverters, which are grouped by gateway."""
    for group in rows(raw):
        for one in rows(group, "micro_inverters"):
            yield text(one, "serial_number"), one


def limited(reply: Reply) -> RateLimited:
    """With the end of the vendor's period where the body tells it; else a minute, which is the common period.

    The vendor documents no Retry-After; should it send one, that counts.
    """
    if reply.retry_after is not None:
        return RateLimited(reply.url, retry_after=reply.retry_after)
    end = epoch(reply.json_object, "period_end")
    return RateLimited(reply.url, retry_at=end.timestamp() if end else None)
