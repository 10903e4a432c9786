"""Tesla Fleet API, energy endpoints.

Credential: `X-Authorization-tesla: Bearer <token>`, a third-party token of the site's owner with the scope
`energy_device_data`. Every answer below 500 costs its owner money.
Calls: sites 1; devices 1 + S for S sites with solar or battery; one site 3; one inverter 4 (1 where the site has
several); one battery 2; intervals 1 for each day of quarters or hours, month of days, year of months, and 1 that tells
the time zone. No paging.
Quirks: products are vehicles and sites mixed, and sites of a mere electricity contract. Accounts live in regions: 421
means the other one. A retired site stays listed, and its `site_info` answers 500 for good. Device lists may be
missing: then one inverter or battery stands for all of the site. Serial numbers repeat, so devices are keyed on the
DIN (`<part number>--<serial number>`).
Source: https://developer.tesla.com/docs/fleet-api, and replies that public clients recorded; read November 2026.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from math import fsum
from typing import TypeVar
from zoneinfo import ZoneInfo

from vendors.kit import (
    BackendError,
    Battery,
    Forbidden,
    Key,
    Level,
    NotFound,
    NotOffered,
    Permanent,
    Production,
    RateLimited,
    Reply,
    Request,
    Row,
    Sample,
    Series,
    Site,
    SolarInverter,
    Vendor,
    VendorError,
    calendar,
    day_start,
    following,
    labelled,
)
from vendors.kit.reading import Raw, mapping, moment, number, rows
from vendors.tesla.shapes import (
    FLOWS,
    PRODUCED,
    charge_percent,
    clock_of,
    detailed,
    energy_kwh,
    fine_rows,
    flows_kw,
    kilo,
    mode_of,
    to_battery,
    to_hybrid,
    to_id_with_devices,
    to_inverter,
    to_samples,
    to_site,
    whole_site,
)

PRODUCTS = "/api/1/products"
SITE_INFO = "/api/1/energy_sites/{}/site_info"
LIVE_STATUS = "/api/1/energy_sites/{}/live_status"
HISTORY = "/api/1/energy_sites/{}/calendar_history"
# The history's period, and the calendar's unit that one call covers.
PERIODS = {
    Level.QUARTER: ("day", "day"),
    Level.HOUR: ("day", "day"),
    Level.DAY: ("month", "month"),
    Level.MONTH: ("year", "year"),
}
Energies = tuple[tuple[str, ...], ...]
D = TypeVar("D", SolarInverter, Battery)
RETIRED = "upstream internal error"
RETRY_IN = re.compile(r"Retry in (\d{1,6}) seconds")
STATUSES: dict[int, tuple[type[VendorError], str]] = {
    402: (Forbidden, "the vendor has suspended the account, or its billing limit is reached"),
    408: (BackendError, "the device is offline"),
    423: (Forbidden, "the vendor has locked the account"),
    424: (BackendError, "the device gave no valid answer"),
    451: (Forbidden, "the owner's privacy settings do not allow it"),
}


class Tesla(Vendor):
    hosts = {
        "tesla": {
            "na": "https://fleet-api.prd.na.vn.cloud.tesla.com",
            "eu": "https://fleet-api.prd.eu.vn.cloud.tesla.com",
            "cn": "https://fleet-api.prd.cn.vn.cloud.tesla.cn",
        }
    }
    # `of_several`: of the devices of a site that has several, as values are the site's.
    lacks = frozenset({
        "site.peak_power_kw", "site.utc_offset_hours", "solar_inverter.name", "solar_inverter.rated_power_kw",
        "solar_inverter.status", "solar_inverter.vendor_status", "solar_inverter.recent_errors", "battery.name",
        "battery.status", "battery.vendor_status", "battery.recent_errors", "solar_intervals.of_several",
        "battery_intervals.of_several", "battery_intervals.soc_percent", "site_battery_intervals.soc_percent",
    })  # fmt: skip

    lag = timedelta(minutes=10)

    def sign(self, request: Request) -> None:
        super().sign(request)
        request.headers["Content-Type"] = "application/json"

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        if reply.status in STATUSES:
            kind, why = STATUSES[reply.status]
            return kind(reply.url, why)
        if reply.status == 403 and "scope" in str(reply.about.get("error")).lower():
            return Forbidden(reply.url, "the token lacks the scope energy_device_data")
        if reply.status == 429:
            return limited(reply)
        if reply.status == 500 and reply.about.get("error") == RETIRED:
            return Permanent(reply.url, "the site may be retired")
        if reply.status == 200 and not isinstance(reply.about.get("response", {}), dict | list):
            return BackendError(reply.url, "the vendor has no data")
        return None

    def spent(self, reply: Reply) -> float | None:
        if reply.headers.get("RateLimit-Remaining") != "0":
            return None
        return number(reply.headers, "RateLimit-Reset")

    def sites(self) -> Iterator[Site]:
        yield from self.client.get(PRODUCTS).rows("response", to=to_site)

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        sites = [site] if site else self.client.get(PRODUCTS).rows("response", to=to_id_with_devices)
        yield from self.client.each(sites, self._devices_of)

    def _devices_of(self, site: str) -> list[SolarInverter | Battery]:
        reply = self.client.get(SITE_INFO, site)
        info = reply.record(lambda raw: raw["response"])
        components = reply.record(lambda raw: raw["response"]["components"])
        inverters: list[SolarInverter] = []
        batteries = reply.rows("response", "components", "batteries", to=partial(to_battery, site), optional=True)
        if components.get("solar"):
            inverters = reply.rows("response", "components", "inverters", to=partial(to_inverter, site), optional=True)
            # Last, as they may stand among the inverters as well.
            inverters += reply.rows("response", "components", "batteries", to=partial(to_hybrid, site), optional=True)
            if not inverters and not components.get("inverters"):
                inverters = [SolarInverter(**whole_site(site), kind="synthetic")]
        if components.get("battery") and not components.get("batteries"):
            batteries = [Battery(**whole_site(site), kind="synthetic", nameplate_kwh=energy_kwh(info))]
        return [*inverters, *batteries]

    def site(self, key: Key) -> Site:
        found = next((site for site in self.sites() if site.key == key), None)
        if found is None:
            raise NotFound(why="the account has no such site")
        return detailed(found, self._info(found.vendor_id), self._live(found.vendor_id))

    def solar_inverter(self, key: Key) -> SolarInverter:
        site, *_ = key
        inverter, is_alone = self._device(key, SolarInverter)
        if not is_alone:
            return inverter
        live, clock, since = self._live(site), clock_of(self._info(site)), self._since(site)
        today = self.client.now.astimezone(clock).date()
        rows = self._rows(Level.QUARTER, site, PRODUCED, clock, today)
        produced = fsum(row.kwh[0] for row in rows if row.kwh)
        lifetime = self._samples(site, PRODUCED, {"period": "lifetime"}, "today")
        return replace(
            inverter,
            power_kw=kilo(live, "solar_power"),
            measured_at=moment(live, "timestamp"),
            recent_production=Production(produced, day_start(today, clock)) if rows else None,
            lifetime_production=Production(fsum(one.kwh[0] for one in lifetime), since) if lifetime else None,
        )

    def battery(self, key: Key) -> Battery:
        site, *_ = key
        battery, is_alone = self._device(key, Battery)
        if not is_alone:
            return replace(battery, mode=mode_of(self._info(site)))
        live = self._live(site)
        charge_kw, discharge_kw = flows_kw(live)
        return replace(
            battery,
            mode=mode_of(self._info(site)),
            soc_percent=charge_percent(live),
            charge_kw=charge_kw,
            discharge_kw=discharge_kw,
            measured_at=moment(live, "timestamp"),
        )

    def solar_intervals(self, key: Key, level: Level) -> Series:
        return self._of_device(key, SolarInverter, level, PRODUCED)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        return self._of_device(key, Battery, level, FLOWS)

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        return self._series(key[0], level, PRODUCED)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        return self._series(key[0], level, FLOWS)

    def _info(self, site: str) -> Raw:
        found: Raw = self.client.get(SITE_INFO, site).record(lambda raw: mapping(raw, "response"))
        return found

    def _live(self, site: str) -> Raw:
        found: Raw = self.client.get(LIVE_STATUS, site, kind="live").record(lambda raw: mapping(raw, "response"))
        return found

    def _since(self, site: str) -> datetime | None:
        return moment(self._info(site), "installation_date")

    def _device(self, key: Key, kind: type[D]) -> tuple[D, bool]:
        """The device, and whether it is the only one of its kind, so that the site's values are its own."""
        devices = {device.key: device for device in self._devices_of(key[0]) if isinstance(device, kind)}
        if key not in devices:
            raise NotFound(why="the site has no such device")
        return devices[key], len(devices) == 1

    def _of_device(self, key: Key, kind: type[D], level: Level, energies: Energies) -> Series:
        if not self._device(key, kind)[1]:
            raise NotOffered
        return self._series(key[0], level, energies)

    def _series(self, site: str, level: Level, energies: Energies) -> Series:
        clock = clock_of(self._info(site))
        _, unit = PERIODS[level]
        tiles = calendar(unit, clock, lambda first: [self._rows(level, site, energies, clock, first)])
        return Series(clock, tiles, self.lag, since=self._since(site))

    def _rows(self, level: Level, site: str, energies: Energies, clock: tzinfo, first: date) -> list[Row]:
        """The rows of a day, or those of the days of a month or months of a year."""
        period, unit = PERIODS[level]
        end = day_start(following(unit, first), clock)
        params = {
            "period": period,
            "start_date": day_start(first, clock).astimezone(clock).isoformat(),
            # At midnight the last day would be empty.
            "end_date": (end - timedelta(seconds=1)).astimezone(clock).isoformat(),
        }
        if isinstance(clock, ZoneInfo):
            params["time_zone"] = clock.key
        samples = self._samples(site, energies, params, self.client.kind(end))
        if level.is_fine:
            return fine_rows(samples)
        return labelled(samples, clock, "day" if level is Level.DAY else "month")

    def _samples(self, site: str, energies: Energies, params: dict[str, str], kind: str) -> list[Sample]:
        reply = self.client.get(HISTORY, site, params={"kind": "energy"} | params, kind=kind)
        return reply.record(lambda raw: to_samples(rows(raw["response"], "time_series", optional=True), energies))


def limited(reply: Reply) -> RateLimited:
    """With the vendor's hint: a header, another header, or a number in its text; hours occur."""
    said = RETRY_IN.search(reply.text)
    hints = (reply.retry_after, number(reply.headers, "RateLimit-Reset"), float(said.group(1)) if said else None)
    return RateLimited(reply.url, retry_after=next((hint for hint in hints if hint is not None), None))
