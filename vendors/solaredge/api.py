"""SolarEdge Monitoring API v2.

Credential: `X-Authorization-solaredge: <app key>`, sent on as `X-API-Key`; a value `Bearer <token>` (one site,
with the owner's consent) goes as Authorization, and the vendor refuses it for the list of sites. Stored: a key, or an
application, to which owners agree for one site each.
Calls: sites one per 1,000; devices ceil(S / 1000) + S for S sites; one site 3, with batteries 4; one inverter 6, in the
afternoon of a day on which the clock changes 7; one battery 4; intervals 2 a day of quarters, 1 a day of hours, month
of days or year of months (1 more where the clock changes), for all devices of a site at once, and 2 for the time zone
and the device. Small plans have 10 calls a minute (headers report what is left) and 2,000 credits a month (which
nothing reports).
Quirks: `/sites` was a bare array in 2022; without `types` only inverters are listed; `model` may be absent where
`partNumber` stands; `nameplate` is 0 for unknown; texts may be blanked out; devices that were replaced stay listed.
Open alerts of a site come a hundred to a call, and five calls are made at most. Version 1 answers 410 since November
2026, and its keys are not valid here.
Source: https://api-docs.solaredge.com, and live replies of public projects, read November 2026.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from math import fsum
from types import MappingProxyType

from vendors.kit import (
    OAUTH_CLIENT,
    AnyDevice,
    Battery,
    CredentialHeaders,
    DeviceRow,
    Freshness,
    Key,
    Level,
    ListCalls,
    NotOffered,
    Production,
    Rate,
    Reply,
    ReportedQuota,
    Request,
    Series,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    TypedKeys,
    Variant,
    Vendor,
    VendorError,
    bearer,
    day_start,
    find_record,
    unique,
)
from vendors.kit.parsing.reading import number
from vendors.solaredge.consent import OWNERS, SITE_ID
from vendors.solaredge.errors import failure_of
from vendors.solaredge.records import (
    DEVICES,
    is_full,
    to_device,
    to_hybrid_inverter,
    to_replaced_battery,
    to_requested_row,
    to_site,
)
from vendors.solaredge.state import (
    BucketState,
    newest_states,
    read_alerts,
    to_battery_states,
    to_solar_states,
    with_state,
)
from vendors.solaredge.telemetry import (
    INVERTERS,
    SITE,
    STORAGE,
    Endpoint,
    Feed,
    read_devices,
    read_today,
    read_years,
    series_of,
)

SITES_PER_PAGE = 1000


def key_or_bearer(value: str) -> Mapping[str, str]:
    """The bare API key as {"key": ...}, or `Bearer <token>` as {"token": ...}."""
    if value.split(" ")[0].lower() == "bearer":
        return bearer(value)
    if not value or " " in value:
        raise ValueError("must be the API key alone, or: Bearer <token>")
    return {"key": value}


class SolarEdge(Vendor):
    stage = Stage.SERIES
    hosts = {"solaredge": {"main": "https://monitoringapi.solaredge.com"}}
    titles = {"solaredge": "SolarEdge"}
    credential_headers = CredentialHeaders(key_or_bearer)
    variants = (
        Variant("apikey", {"apiKey": "key"}, consent=TypedKeys({"apiKey": "API key"})),
        Variant("oauthclient", OAUTH_CLIENT, consent=OWNERS),
    )
    list_calls = ListCalls("1 for every 1,000 sites", "1 for every 1,000 sites, and 1 for each site")
    no_control = "No call of SolarEdge's API is known that controls batteries."
    lacks = frozenset({
        "site.latitude", "site.longitude", "site.utc_offset_hours", "site.bess.mode", "site.bess.nameplate_kwh",
        "solar_inverter.kind", "solar_inverter.status", "solar_inverter.vendor_status", "battery.kind", "battery.mode",
        "battery.rated_power_kw", "battery.status", "battery.vendor_status",
    })  # fmt: skip
    lag = timedelta(minutes=15)
    fresh_seconds = MappingProxyType({**Vendor.fresh_seconds, Freshness.TODAY: 900.0, Freshness.LIVE: 300.0})

    def sign(self, request: Request) -> None:
        key = self.credential.get("key")
        if key is None:
            super().sign(request)
        else:
            request.headers["X-API-Key"] = key

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        return failure_of(reply)

    def reported_quota(self, reply: Reply) -> ReportedQuota | None:
        limit, left = (number(reply.headers, f"x-ratelimit-{name}-minute") for name in ("limit", "remaining"))
        if not limit or left is None or not 0 <= left <= limit:
            return None
        return ReportedQuota(Rate(int(limit), 60), int(left))

    def account_id(self) -> str:
        # The only site of a token, which the vendor refuses for any other.
        granted = self.credential[SITE_ID]
        detail = self.client.get("/v2/sites/{}", granted, freshness=Freshness.UNCACHED)
        return detail.record(partial(to_requested_row, granted)).vendor_id

    def sites(self) -> Iterator[SiteRow]:
        granted = self.credential.get(SITE_ID)
        if granted is None:
            yield from self.client.pages(self._page_of_sites)
        else:
            # The vendor refuses the list to an owner's token.
            yield self._detail(granted).record(partial(to_requested_row, granted))

    def _page_of_sites(self, number: int) -> tuple[list[SiteRow], bool]:
        reply = self.client.get("/v2/sites", params={"page": number, "sites-in-page": SITES_PER_PAGE})
        path = () if isinstance(reply.json, list) else ("sites", "site")
        return reply.rows(*path, to=to_site), is_full(reply, SITES_PER_PAGE, *path)

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        sites = [site] if site else [row.vendor_id for row in self.sites()]
        yield from self.client.each(sites, self._devices_of, one_call=True)

    def _devices_of(self, site: str) -> list[DeviceRow]:
        return unique(self._listed(site).rows(to=partial(to_device, site)))

    def _batteries_of(self, site: str) -> list[str]:
        """Serial numbers of the batteries of a site."""
        return [row.vendor_id for row in self._devices_of(site) if row.kind is Battery]

    def _listed(self, site: str) -> Reply:
        return self.client.get("/v2/sites/{}/devices", site, params={"types": ("INVERTER", "BATTERY")}, only=DEVICES)

    def site(self, key: Key) -> Site:
        site = self._known_site(key[0])
        # Required, so before any optional call: a 429 of an optional call would hold this one, and the site would be
        # lost.
        batteries = self._batteries_of(key[0])
        solar = self.client.optional(lambda: self._solar_states(site, SITE))
        storage = self.client.optional(lambda: self._battery_states(site) if batteries else {})
        return with_state(site, (solar.result() or {}).get(""), storage.result() or {}, batteries)

    def solar_inverter(self, key: Key) -> SolarInverter:
        site, device = self._known_site(key[0]), self._device(key, SolarInverter)
        midnight = day_start(self.client.now.astimezone(site.clock).date(), site.clock)
        today = self.client.optional(lambda: read_today(self.client, site, INVERTERS, midnight))
        lifetime = self.client.optional(lambda: self._lifetime(site, device))
        recent_errors = self.client.optional(lambda: read_alerts(self.client, site, device.serial_number))
        states = self.client.optional(lambda: self._solar_states(site, INVERTERS))
        newest = (states.result() or {}).get(device.serial_number)
        energies = [row.kwh[0] for row in (today.result() or {}).get(device.serial_number, []) if row.kwh]
        return replace(
            device,
            power_kw=newest.power_kw if newest else None,
            measured_at=newest.end if newest else None,
            recent_production=Production(fsum(energies), midnight) if energies else None,
            lifetime_production=lifetime.result(),
            recent_errors=recent_errors.result(),
        )

    def battery(self, key: Key) -> Battery:
        site, device = self._known_site(key[0]), self._device(key, Battery)
        states = self.client.optional(lambda: self._battery_states(site))
        recent_errors = self.client.optional(lambda: read_alerts(self.client, site, device.serial_number))
        battery = replace(device, recent_errors=recent_errors.result())
        newest = (states.result() or {}).get(device.serial_number)
        if newest is None:
            return battery
        return replace(
            battery,
            soc_percent=newest.soc_percent,
            charge_kw=newest.charge_kw,
            discharge_kw=newest.discharge_kw,
            measured_at=newest.end,
        )

    def solar_intervals(self, key: Key, level: Level) -> Series:
        serial_number = self._device(key, SolarInverter).serial_number
        is_mixed = serial_number in self._listed(key[0]).rows(to=to_hybrid_inverter)
        return self._series(Feed(self._known_site(key[0]), INVERTERS, level, [serial_number], is_mixed=is_mixed))

    def battery_intervals(self, key: Key, level: Level) -> Series:
        serial_number = self._device(key, Battery).serial_number
        return self._series(Feed(self._known_site(key[0]), STORAGE, level, [serial_number]))

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        is_mixed = bool(self._listed(key[0]).rows(to=to_hybrid_inverter))
        return self._series(Feed(self._known_site(key[0]), SITE, level, [""], is_mixed=is_mixed))

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        batteries = self._batteries_of(key[0])
        if not batteries:
            raise NotOffered
        replaced = set(self._listed(key[0]).rows(to=to_replaced_battery)).difference(batteries)
        return self._series(Feed(self._known_site(key[0]), STORAGE, level, batteries, replaced=sorted(replaced)))

    def _known_site(self, site: str) -> Site:
        return self._detail(site).record(partial(to_requested_row, site)).record()

    def _detail(self, site: str) -> Reply:
        return self.client.get("/v2/sites/{}", site)

    def _device(self, key: Key, kind: type[AnyDevice]) -> AnyDevice:
        return find_record(self._devices_of(key[0]), kind, key)

    def _series(self, feed: Feed) -> Series:
        # Refers to the plugin and not to its client alone, which would not keep the plugin and its hooks alive.
        return series_of(feed, self.lag, lambda window: read_devices(self.client, feed, window))

    def _solar_states(self, site: Site, endpoint: Endpoint) -> dict[str, BucketState]:
        return newest_states(self.client, site, endpoint, self.lag, to_solar_states)

    def _battery_states(self, site: Site) -> dict[str, BucketState]:
        return newest_states(self.client, site, STORAGE, self.lag, to_battery_states)

    def _lifetime(self, site: Site, device: SolarInverter) -> Production | None:
        if site.operational_since is None:
            return None
        years = read_years(self.client, site, INVERTERS, site.operational_since).get(device.serial_number)
        return Production(fsum(years), site.operational_since) if years else None
