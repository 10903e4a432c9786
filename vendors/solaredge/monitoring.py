"""SolarEdge Monitoring API v2.

Credential: `X-Authorization-solaredge: <app key>`, sent on as `X-API-Key`; a value `Bearer <token>` (one site,
with the owner's consent) goes as Authorization, and the vendor refuses it for the list of sites.
Calls: sites one per 1,000; devices ceil(S / 1000) + S for S sites; one site 3, with batteries 4; one inverter 6; one
battery 4; intervals 2 a day of quarters, 1 a day of hours, month of days or year of months (1 more where the clock
changes), for all devices of a site at once, and 2 that tell the time zone and the device. Small plans have 10 calls a
minute (headers tell) and 2,000 credits a month (nothing tells).
Quirks: `/sites` was a bare array in 2022; `types` means inverters only unless asked; `model` may be absent where
`partNumber` stands; `nameplate` is 0 for unknown; texts may be blanked out. Version 1 answers 410 since November
2026, and its keys are not valid here.
Source: https://api-docs.solaredge.com, and live replies of public projects, read November 2026.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from math import fsum
from types import MappingProxyType
from typing import TypeVar

from vendors.kit import (
    Battery,
    Bess,
    CredentialHeaders,
    Key,
    Level,
    Messages,
    NotFound,
    NotOffered,
    Production,
    Quality,
    Reply,
    Request,
    Row,
    Series,
    Site,
    SolarInverter,
    Tile,
    Vendor,
    VendorError,
    day_start,
    labelled,
)
from vendors.kit.reading import Raw, mapping
from vendors.kit.windows import QUARTER
from vendors.solaredge.access import key_or_bearer, limited
from vendors.solaredge.shapes import (
    FLOWS,
    PRODUCED,
    buckets,
    power_kw,
    sum_kwh,
    to_coupled,
    to_device,
    to_message,
    to_samples,
    to_site,
)
from vendors.solaredge.windows import instant, whole_day, windows

SITES_PER_PAGE = 1000
ALERTS = "/v2/sites/{}/alerts"
MOST_ALERTS = 100
RESOLUTIONS = {Level.QUARTER: "QUARTER_HOUR", Level.HOUR: "HOUR", Level.DAY: "DAY", Level.MONTH: "MONTH"}
STEPS = {Level.QUARTER: QUARTER, Level.HOUR: timedelta(hours=1)}
# A path, and the member below which its series stand by serial number; the site's own stands at the top.
Source = tuple[str, str]
SITE: Source = ("/v2/sites/{}/energy", "")
INVERTERS: Source = ("/v2/sites/{}/inverters/telemetry", "inverters")
STORAGE: Source = ("/v2/sites/{}/storage/telemetry", "storage")

D = TypeVar("D", SolarInverter, Battery)


class SolarEdge(Vendor):
    hosts = {"solaredge": {"main": "https://monitoringapi.solaredge.com"}}
    credential_headers = CredentialHeaders(key_or_bearer)
    lacks = frozenset({
        "site.latitude", "site.longitude", "site.utc_offset_hours", "site.bess.mode", "site.bess.nameplate_kwh",
        "solar_inverter.kind", "solar_inverter.status", "solar_inverter.vendor_status", "battery.kind", "battery.mode",
        "battery.rated_power_kw", "battery.status", "battery.vendor_status",
    })  # fmt: skip
    lag = timedelta(minutes=15)
    fresh = MappingProxyType({**Vendor.fresh, "today": 900.0, "live": 300.0})

    def sign(self, request: Request) -> None:
        key = self.credential.get("key")
        if key is None:
            super().sign(request)
        else:
            request.headers["X-API-Key"] = key

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        return limited(reply)

    def sites(self) -> Iterator[Site]:
        yield from self.client.pages(self._page_of_sites)

    def _page_of_sites(self, number: int) -> tuple[list[Site], bool]:
        reply = self.client.get("/v2/sites", params={"page": number, "sites-in-page": SITES_PER_PAGE})
        path = () if isinstance(reply.json, list) else ("sites", "site")
        sites = reply.rows(*path, to=to_site)
        return sites, len(sites) >= SITES_PER_PAGE

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        sites = [site] if site else [found.vendor_id for found in self.sites()]
        yield from self.client.each(sites, self._devices_of)

    def _devices_of(self, site: str) -> list[SolarInverter | Battery]:
        return self._listed(site).rows(to=partial(to_device, site))

    def _listed(self, site: str) -> Reply:
        return self.client.get("/v2/sites/{}/devices", site, params={"types": ["INVERTER", "BATTERY"]})

    def site(self, key: Key) -> Site:
        site = self._known_site(key[0])
        solar = self._newest(site, SITE, PRODUCED)[""]
        batteries = sum(isinstance(device, Battery) for device in self._devices_of(key[0]))
        stored = self._newest(site, STORAGE, FLOWS).values() if batteries else ()
        newest = max(filter(None, [solar, *stored]), key=lambda row: row.end, default=None)
        if newest is None:
            return replace(site, bess=Bess() if batteries else None)
        # The sun's buckets are null at night, when batteries go on.
        now = [row for row in stored if row and row.end == newest.end]
        flows = [fsum(power_kw(row, which) or 0.0 for row in now) if now else None for which in range(len(FLOWS))]
        return replace(
            site,
            power_kw=power_kw(solar, 0) if solar and solar.end == newest.end else None,
            charge_kw=flows[0],
            discharge_kw=flows[1],
            measured_at=newest.end,
            bess=Bess(soc_percent=now[0].soc_percent if batteries == len(now) == 1 else None) if batteries else None,
        )

    def solar_inverter(self, key: Key) -> SolarInverter:
        site, device = self._known_site(key[0]), self._device(key, SolarInverter)
        newest = self._newest(site, INVERTERS, PRODUCED).get(device.serial_number)
        today = self.client.now.astimezone(site.clock).date()
        hours = self._rows(site, INVERTERS, PRODUCED, Level.HOUR, *whole_day(today)).get(device.serial_number, [])
        return replace(
            device,
            power_kw=power_kw(newest, 0),
            measured_at=newest.end if newest else None,
            recent_production=Production(sum_kwh(hours), day_start(today, site.clock)) if hours else None,
            lifetime_production=self._lifetime(site, device),
            recent_errors=self._alerts(site, device.serial_number),
        )

    def battery(self, key: Key) -> Battery:
        site, device = self._known_site(key[0]), self._device(key, Battery)
        newest = self._newest(site, STORAGE, FLOWS).get(device.serial_number)
        return replace(
            device,
            soc_percent=newest.soc_percent if newest else None,
            charge_kw=power_kw(newest, 0),
            discharge_kw=power_kw(newest, 1),
            measured_at=newest.end if newest else None,
            recent_errors=self._alerts(site, device.serial_number),
        )

    def solar_intervals(self, key: Key, level: Level) -> Series:
        serial_number = self._device(key, SolarInverter).serial_number
        is_mixed = serial_number in self._listed(key[0]).rows(to=to_coupled)
        return self._series(key, level, INVERTERS, PRODUCED, [serial_number], is_mixed=is_mixed)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        return self._series(key, level, STORAGE, FLOWS, [self._device(key, Battery).serial_number])

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        is_mixed = bool(self._listed(key[0]).rows(to=to_coupled))
        return self._series(key, level, SITE, PRODUCED, [""], is_mixed=is_mixed)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        batteries = [device for device in self._devices_of(key[0]) if isinstance(device, Battery)]
        if not batteries:
            raise NotOffered
        return self._series(key, level, STORAGE, FLOWS, [battery.serial_number for battery in batteries])

    def _known_site(self, site: str) -> Site:
        return self.client.get("/v2/sites/{}", site).record(to_site)

    def _device(self, key: Key, kind: type[D]) -> D:
        for device in self._devices_of(key[0]):
            if isinstance(device, kind) and device.key == key:
                return device
        raise NotFound(why="the site has no such device")

    def _series(
        self,
        key: Key,
        level: Level,
        source: Source,
        members: tuple[str, ...],
        serial_numbers: list[str],
        *,
        is_mixed: bool = False,
    ) -> Series:
        """is_mixed: whether the values hold what batteries gave; they come as they are, and derived."""
        site = self._known_site(key[0])

        def tile(start: datetime, end: datetime) -> Tile:
            def read() -> list[list[Row]]:
                found = self._rows(site, source, members, level, start, end)
                told = [found.get(serial_number, []) for serial_number in serial_numbers]
                return [[replace(row, quality=Quality.DERIVED) for row in rows] for rows in told] if is_mixed else told

            return Tile(instant(start, site.clock), instant(end, site.clock), read)

        def tiles(start: datetime, end: datetime) -> Iterator[Tile]:
            return (tile(*window) for window in windows(level, start, end, site.clock))

        return Series(site.clock, tiles, self.lag, nights=members is PRODUCED, since=site.operational_since)

    def _rows(
        self, site: Site, source: Source, members: tuple[str, ...], level: Level, start: datetime, end: datetime
    ) -> dict[str, list[Row]]:
        """Rows of a window on the site's clock, by serial number; of the site itself by ""."""
        path, root = source
        clock = site.clock
        params = {"resolution": RESOLUTIONS[level], "from": start.isoformat(), "to": end.isoformat()}
        if source is SITE:
            params["unit"] = "WH"
        reply = self.client.get(path, site.vendor_id, params=params, kind=self.client.kind(instant(end, clock)))

        def convert(series: Raw) -> list[Row]:
            if level.is_fine:
                return buckets(series, members, STEPS[level])
            return labelled(to_samples(series, members), clock, "day" if level is Level.DAY else "month")

        if not root:
            return {"": reply.record(lambda raw: convert({members[0]: raw}))}
        return reply.record(lambda raw: {name: convert(series) for name, series in raw[root].items()})

    def _newest(self, site: Site, source: Source, members: tuple[str, ...]) -> dict[str, Row | None]:
        """The last quarter with values, by serial number."""
        clock = site.clock
        known = self.client.now - self.lag - QUARTER
        window = next(
            (start, end)
            for start, end in windows(Level.QUARTER, known, self.client.now, clock)
            if instant(end, clock) > known
        )
        found = self._rows(site, source, members, Level.QUARTER, *window)
        return {name: rows[-1] if rows else None for name, rows in found.items()}

    def _lifetime(self, site: Site, device: SolarInverter) -> Production | None:
        since = site.operational_since
        if since is None:
            return None
        clock = site.clock
        first, last = since.astimezone(clock).year, self.client.now.astimezone(clock).year
        window = datetime(first, 1, 1), datetime(last + 1, 1, 1)
        path, root = INVERTERS
        params = {"resolution": "YEAR", "from": window[0].isoformat(), "to": window[1].isoformat()}
        reply = self.client.get(path, site.vendor_id, params=params, kind="today")
        years = reply.record(lambda raw: to_samples(mapping(raw[root], device.serial_number), PRODUCED))
        return Production(fsum(year.kwh[0] for year in years), since) if years else None

    def _alerts(self, site: Site, serial_number: str) -> Messages | None:
        """Open alerts of a device, whenever they came."""
        if site.operational_since is None:
            return None
        params: Mapping[str, str | int] = {"only-open": "true", "alerts-in-page": MOST_ALERTS}
        reply = self.client.get(ALERTS, site.vendor_id, params=params, kind="live")
        return Messages(tuple(reply.rows(to=partial(to_message, serial_number))), site.operational_since)
