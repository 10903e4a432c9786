"""SolarEdge Monitoring API v2.

Credential: `X-Authorization-solaredge: <app key>`, sent on as `X-API-Key`; a value `Bearer <token>` (one site,
with the owner's consent) goes as Authorization, and the vendor refuses it for the list of sites.
Calls: sites one per 1,000; devices ceil(S / 1000) + S for S sites; one site 3, with batteries 4; one inverter 6, in the
afternoon of a day on which the clock changes 7; one battery 4; intervals 2 a day of quarters, 1 a day of hours, month
of days or year of months (1 more where the clock changes), for all devices of a site at once, and 2 that tell the time
zone and the device. Small plans have 10 calls a minute (headers tell) and 2,000 credits a month (nothing tells).
Quirks: `/sites` was a bare array in 2022; `types` means inverters only unless asked; `model` may be absent where
`partNumber` stands; `nameplate` is 0 for unknown; texts may be blanked out; devices that were replaced stay listed. A
site's open alerts are a hundred to a call, five calls at most. Version 1 answers 410 since November 2026, and its keys
are not valid here.
Source: https://api-docs.solaredge.com, and live replies of public projects, read November 2026.
"""

from collections.abc import Callable, Iterator, Sequence
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
    DeviceRow,
    Freshness,
    Key,
    Level,
    NotOffered,
    Production,
    Quality,
    Reply,
    Request,
    Row,
    Series,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    Tile,
    Vendor,
    VendorError,
    day_start,
    find_record,
    unique,
)
from vendors.kit.parsing.reading import Raw
from vendors.solaredge.access import key_or_bearer, limited
from vendors.solaredge.alerts import is_full, read_alerts
from vendors.solaredge.records import (
    DEVICES,
    Present,
    one_way,
    sum_kw,
    to_coupled,
    to_device,
    to_flows,
    to_former,
    to_outputs,
    to_site,
    to_site_asked_for,
    with_former,
)
from vendors.solaredge.series import (
    INVERTERS,
    SITE,
    STORAGE,
    Source,
    read_present,
    read_rows,
    read_today,
    read_years,
)
from vendors.solaredge.windows import LocalWindow, instant, windows

SITES_PER_PAGE = 1000

D = TypeVar("D", SolarInverter, Battery)


class SolarEdge(Vendor):
    stage = Stage.SERIES
    hosts = {"solaredge": {"main": "https://monitoringapi.solaredge.com"}}
    credential_headers = CredentialHeaders(key_or_bearer)
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
        return limited(reply)

    def sites(self) -> Iterator[SiteRow]:
        yield from self.client.pages(self._page_of_sites)

    def _page_of_sites(self, number: int) -> tuple[list[SiteRow], bool]:
        reply = self.client.get("/v2/sites", params={"page": number, "sites-in-page": SITES_PER_PAGE})
        path = () if isinstance(reply.json, list) else ("sites", "site")
        return reply.rows(*path, to=to_site), is_full(reply, SITES_PER_PAGE, *path)

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        sites = [site] if site else [row.vendor_id for row in self.sites()]
        yield from self.client.each(sites, self._devices_of)

    def _devices_of(self, site: str) -> list[DeviceRow]:
        return unique(self._listed(site).rows(to=partial(to_device, site)))

    def _batteries_of(self, site: str) -> list[str]:
        """Their serial numbers."""
        return [row.vendor_id for row in self._devices_of(site) if row.kind is Battery]

    def _listed(self, site: str) -> Reply:
        return self.client.get("/v2/sites/{}/devices", site, params={"types": ("INVERTER", "BATTERY")}, only=DEVICES)

    def site(self, key: Key) -> Site:
        site = self._known_site(key[0])
        # Before any optional call: a 429 of that would hold this one, and the site would be lost.
        batteries = self._batteries_of(key[0])
        of_sun = self.client.optional(lambda: self._present(site, SITE, to_outputs))
        storage = self.client.optional(lambda: self._present(site, STORAGE, to_flows) if batteries else {})
        solar, found = (of_sun.result() or {}).get(""), storage.result() or {}
        stored = [found[battery] for battery in batteries if battery in found]
        newest = max((one.until for one in (solar, *stored) if one), default=None)
        # The sun's buckets are null at night, when batteries go on.
        now = [one for one in stored if one.until == newest]
        # What some of them do is not what the site's batteries do.
        whole = now if len(now) == len(batteries) else []
        charge_kw, discharge_kw = one_way(
            sum_kw(one.charge_kw for one in whole), sum_kw(one.discharge_kw for one in whole)
        )
        soc_percent = whole[0].soc_percent if len(whole) == 1 else None
        return replace(
            site,
            power_kw=solar.power_kw if solar and solar.until == newest else None,
            charge_kw=charge_kw,
            discharge_kw=discharge_kw,
            measured_at=newest,
            bess=Bess(soc_percent=soc_percent) if batteries else None,
        )

    def solar_inverter(self, key: Key) -> SolarInverter:
        site, device = self._known_site(key[0]), self._device(key, SolarInverter)
        today = day_start(self.client.now.astimezone(site.clock).date(), site.clock)
        of_today = self.client.optional(lambda: read_today(self.client, site, INVERTERS, today))
        lifetime = self.client.optional(lambda: self._lifetime(site, device))
        recent_errors = self.client.optional(lambda: read_alerts(self.client, site, device.serial_number))
        present = self.client.optional(lambda: self._present(site, INVERTERS, to_outputs))
        newest = (present.result() or {}).get(device.serial_number)
        made = [row.kwh[0] for row in (of_today.result() or {}).get(device.serial_number, []) if row.kwh]
        return replace(
            device,
            power_kw=newest.power_kw if newest else None,
            measured_at=newest.until if newest else None,
            recent_production=Production(fsum(made), today) if made else None,
            lifetime_production=lifetime.result(),
            recent_errors=recent_errors.result(),
        )

    def battery(self, key: Key) -> Battery:
        site, device = self._known_site(key[0]), self._device(key, Battery)
        present = self.client.optional(lambda: self._present(site, STORAGE, to_flows))
        recent_errors = self.client.optional(lambda: read_alerts(self.client, site, device.serial_number)).result()
        newest = (present.result() or {}).get(device.serial_number)
        if newest is None:
            return replace(device, recent_errors=recent_errors)
        return replace(
            device,
            soc_percent=newest.soc_percent,
            charge_kw=newest.charge_kw,
            discharge_kw=newest.discharge_kw,
            measured_at=newest.until,
            recent_errors=recent_errors,
        )

    def solar_intervals(self, key: Key, level: Level) -> Series:
        serial_number = self._device(key, SolarInverter).serial_number
        is_mixed = serial_number in self._listed(key[0]).rows(to=to_coupled)
        return self._series(key, level, INVERTERS, [serial_number], is_mixed=is_mixed)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        return self._series(key, level, STORAGE, [self._device(key, Battery).serial_number])

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        is_mixed = bool(self._listed(key[0]).rows(to=to_coupled))
        return self._series(key, level, SITE, [""], is_mixed=is_mixed)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        batteries = self._batteries_of(key[0])
        if not batteries:
            raise NotOffered
        former = set(self._listed(key[0]).rows(to=to_former)).difference(batteries)
        return self._series(key, level, STORAGE, batteries, former=sorted(former))

    def _known_site(self, site: str) -> Site:
        return self.client.get("/v2/sites/{}", site).record(partial(to_site_asked_for, site))

    def _device(self, key: Key, kind: type[D]) -> D:
        return find_record(self._devices_of(key[0]), kind, key)

    def _series(
        self,
        key: Key,
        level: Level,
        source: Source,
        serial_numbers: list[str],
        *,
        is_mixed: bool = False,
        former: Sequence[str] = (),
    ) -> Series:
        """is_mixed: whether the values hold what batteries gave; they come as they are, and derived.

        former: serial numbers of devices that were replaced. Their energy is added to that of the present ones, of
        which none is missing when they have none.
        """
        site = self._known_site(key[0])

        def read(window: LocalWindow) -> list[list[Row]]:
            found = read_rows(self.client, site, source, level, window)
            told = [found.get(serial_number, []) for serial_number in serial_numbers]
            for number, serial_number in enumerate(former):
                place = number % len(told)
                told[place] = with_former(told[place], found.get(serial_number, []))
            return [[replace(row, quality=Quality.DERIVED) for row in rows] for rows in told] if is_mixed else told

        def tiles(start: datetime, end: datetime) -> Iterator[Tile]:
            for window in windows(level, start, end, site.clock):
                begins, ends = (instant(at, site.clock) for at in window)
                yield Tile(begins, ends, partial(read, window))

        return Series(site.clock, tiles, self.lag, nights=source is not STORAGE, since=site.operational_since)

    def _present(self, site: Site, source: Source, to: Callable[[Raw], list[Present]]) -> dict[str, Present]:
        return read_present(self.client, site, source, self.lag, to)

    def _lifetime(self, site: Site, device: SolarInverter) -> Production | None:
        if site.operational_since is None:
            return None
        years = read_years(self.client, site, INVERTERS, site.operational_since).get(device.serial_number)
        return Production(fsum(years), site.operational_since) if years else None
