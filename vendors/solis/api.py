"""SolisCloud Platform API V2.0.

Credential: `X-Authorization-solis: Basic base64(<key id>:<key secret>)`. The secret is never sent: each call
carries an HMAC-SHA1 over its method, body digest, type, date and path.
Calls: sites one per 100; devices one per 100 inverters (no site list needed), and one for each battery that may have
been taken away, 10 at most; one site 1; one inverter 2 and one per 100 alarms, 5 at most; one battery 1; intervals 1
for each day of quarters or hours of each device (2 on a day of 25 hours), month of days, year of months, and 2 that
tell the device and the time zone. The vendor wants one call in flight per key. Everything is POST.
Quirks: errors come with status 200, some even with `success: true`, so only `code` counts. The daily quota
shares the code of "no authority" and differs in its text. Ids are decimal texts of 19 digits. A battery is part
of a hybrid inverter, and battery members stand in the answers of string inverters too. `model` is a type code;
a trade name (`machine`) stands in the detail only.
Source: SolisCloud Platform API Document V2.0; codes beyond it as seen by public clients, read November 2026.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.utils import formatdate
from functools import partial
from typing import TypeVar

from vendors.kit import (
    MAX_CALLS,
    Battery,
    CalendarUnit,
    CredentialHeaders,
    DeviceRow,
    Freshness,
    Key,
    Level,
    Limits,
    NotFound,
    NotOffered,
    Rate,
    Reply,
    Request,
    Row,
    Series,
    Shape,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    Tile,
    Vendor,
    VendorError,
    basic,
    calendar_tiles,
    day_start,
    find_record,
    last_of_each,
    next_period,
    unique,
)
from vendors.kit.parsing.reading import Raw, as_object, rows
from vendors.solis.alarms import read_log
from vendors.solis.batteries import is_in_doubt, says_no_battery
from vendors.solis.errors import failure_of
from vendors.solis.records import (
    INVERTERS,
    STATIONS,
    all_of,
    battery_now,
    detailed,
    inverter_now,
    inverters_clock,
    to_devices,
    to_site,
)
from vendors.solis.series import FLOWS, PRODUCED, Timed, fine_rows, offsets, to_sample, to_total, totals, whole_dates

T = TypeVar("T")
D = TypeVar("D", SolarInverter, Battery)

CONTENT_TYPE = "application/json;charset=UTF-8"
PAGE_SIZE = 100
# How many inverters a list may ask about their battery.
MOST_DOUBTS = 10
# A chart's calendar unit, the step of its rows, and how its date is written.
CHARTS = {
    Level.DAY: (CalendarUnit.MONTH, CalendarUnit.DAY, "%Y-%m"),
    Level.MONTH: (CalendarUnit.YEAR, CalendarUnit.MONTH, "%Y"),
}


class Solis(Vendor):
    stage = Stage.SERIES
    hosts = {"solis": {"main": "https://www.soliscloud.com:13333"}}
    credential_headers = CredentialHeaders(basic)
    limits = Limits(parallel=1, rate=Rate(2, 1), group=("id",))
    lacks = frozenset({
        "site.latitude", "site.longitude", "site.bess.mode", "site.bess.nameplate_kwh", "battery.name", "battery.model",
        "battery.kind", "battery.mode", "battery.nameplate_kwh", "battery.rated_power_kw", "battery.recent_errors",
    })  # fmt: skip
    # 6 minutes, and as long as it takes to the next row.
    lag = timedelta(minutes=12)

    def sign(self, request: Request) -> None:
        digest = base64.b64encode(hashlib.md5(request.body or b"", usedforsecurity=False).digest()).decode()
        date = formatdate(usegmt=True)
        message = f"{request.method}\n{digest}\n{CONTENT_TYPE}\n{date}\n{request.path}"
        sign = hmac.digest(self.credential["secret"].encode(), message.encode(), "sha1")
        request.headers |= {
            "Content-MD5": digest,
            "Content-Type": CONTENT_TYPE,
            "Date": date,
            "Authorization": f"API {self.credential['id']}:{base64.b64encode(sign).decode()}",
        }

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        return failure_of(reply, request)

    def sites(self) -> Iterator[SiteRow]:
        yield from self.client.pages(lambda number: self._page("userStationList", STATIONS, number, to_site))

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        doubts = 0

        def listed(raw: Raw) -> tuple[list[DeviceRow], bool]:
            return to_devices(raw), is_in_doubt(raw)

        found = self.client.pages(lambda number: self._page("inverterList", INVERTERS, number, listed, site))
        for devices, in_doubt in found:
            doubts += in_doubt
            is_gone = in_doubt and doubts <= MOST_DOUBTS and self._has_lost_battery(devices[0].vendor_id)
            yield from devices[:1] if is_gone else devices

    def _has_lost_battery(self, inverter: str) -> bool:
        """Whether the detail says that there is no battery, although the list's counters speak for one."""
        reply = self.client.optional(lambda: self._one("inverterDetail", inverter, Freshness.INVENTORY)).result()
        return reply is not None and reply.record(lambda raw: says_no_battery(raw["data"]))

    def _page(
        self, call: str, only: Shape, number: int, to: Callable[[Raw], T], station: str | None = None
    ) -> tuple[list[T], bool]:
        body = {"pageNo": number, "pageSize": PAGE_SIZE} | ({"stationId": station} if station else {})
        reply = self.client.post_read(f"/v1/api/{call}", body=body, only=only)
        raws = reply.record(lambda raw: rows(raw, "data", "page", "records"))
        if station:
            reply.record(lambda _: all_of(raws, "stationId", station))
        found = reply.rows("data", "page", "records", to=to)
        # `pages` is 0 for an empty account; an empty page ends the list whatever the counter says.
        pages = reply.record(lambda raw: int(raw["data"]["page"]["pages"]))
        return found, number < pages and bool(raws)

    def site(self, key: Key) -> Site:
        return self._station(key[0], Freshness.LIVE)

    def solar_inverter(self, key: Key) -> SolarInverter:
        detail, device = self._device(key, SolarInverter)
        site = self.client.optional(lambda: self._station(device.vendor_site_id)).result()
        since, serial = site.operational_since if site else None, device.serial_number
        # Without a serial number the alarms of all devices would come.
        log = self.client.optional(lambda: read_log(self.client, serial, since)).result() if serial else None
        return replace(inverter_now(device, site, detail, self.client.now), recent_errors=log)

    def battery(self, key: Key) -> Battery:
        detail, device = self._device(key, Battery)
        return battery_now(device, detail, self.client.now)

    def solar_intervals(self, key: Key, level: Level) -> Series:
        device = self._device(key, SolarInverter)[1]
        return self._series(self._station(device.vendor_site_id), level, PRODUCED, [device])

    def battery_intervals(self, key: Key, level: Level) -> Series:
        device = self._device(key, Battery)[1]
        return self._series(self._station(device.vendor_site_id), level, FLOWS, [device])

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        return self._of_site(key[0], level, PRODUCED, SolarInverter)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        return self._of_site(key[0], level, FLOWS, Battery)

    def _one(self, call: str, id: str, freshness: Freshness) -> Reply:
        """The detail of a station or inverter: of no other, as far as it names one."""
        reply = self.client.post_read(f"/v1/api/{call}", body={"id": id}, freshness=freshness)
        detail = reply.record(lambda raw: as_object(raw["data"] or {}))
        if not detail:
            raise NotFound(reply.url)
        reply.record(lambda _: all_of([detail], "id", id))
        return reply

    def _station(self, station: str, freshness: Freshness = Freshness.INVENTORY) -> Site:
        reply = self._one("stationDetail", station, freshness)
        return reply.record(lambda raw: detailed(to_site(raw["data"]).record(), raw["data"], self.client.now))

    def _device(self, key: Key, kind: type[D]) -> tuple[Raw, D]:
        """The inverter's detail, and the inverter or its battery."""
        reply = self._one("inverterDetail", key[0], Freshness.LIVE)
        detail: Raw = reply.record(lambda raw: raw["data"])
        # A device that never reported has a detail of zeros without an id; the list knows who it is.
        rows = self.devices() if not detail.get("id") else reply.record(lambda raw: to_devices(raw["data"]))
        return detail, find_record(rows, kind, key, reply.url)

    def _of_site(self, station: str, level: Level, members: tuple[str, ...], kind: type[D]) -> Series:
        """Quarters and hours from the devices, days and months from the station's own."""
        devices = [row.record() for row in unique(self.devices(station)) if row.kind is kind]
        if not level.is_fine and devices:
            return self._series(self._station(station), level, members, [])
        if not 0 < len(devices) * 2 <= MAX_CALLS:
            raise NotOffered
        return self._series(self._station(station), level, members, devices)

    def _series(
        self, site: Site, level: Level, members: tuple[str, ...], devices: list[SolarInverter] | list[Battery]
    ) -> Series:
        clock = site.clock

        def days(start: datetime, end: datetime) -> Iterator[Tile]:
            for day in whole_dates(start, end, clock):
                read = partial(self._day, day, site, members, devices)
                span = day_start(day, clock), day_start(next_period(CalendarUnit.DAY, day), clock)
                yield Tile(*span, read, calls=len(devices) * len(offsets(day, clock)))

        def read_totals(first: date) -> list[list[Row]]:
            return [self._totals(level, first, site, members, devices)]

        tiles = days if level.is_fine else calendar_tiles(CHARTS[level][0], clock, read_totals)
        return Series(clock, tiles, self.lag, nights=members is PRODUCED, since=site.operational_since)

    def _day(
        self, day: date, site: Site, members: tuple[str, ...], devices: list[SolarInverter] | list[Battery]
    ) -> list[list[Row]]:
        clock = site.clock
        start, end = day_start(day, clock), day_start(next_period(CalendarUnit.DAY, day), clock)
        began = day_start(day, inverters_clock(site)) if members is PRODUCED else None
        found = []
        for device in devices:
            timed: list[Timed] = []
            for offset in offsets(day, clock):
                hours = (offset.utcoffset(None)) / timedelta(hours=1)
                body = {"id": device.vendor_id, "money": "", "time": day.isoformat(), "timeZone": hours}
                reply = self.client.post_read("/v1/api/inverterDay", body=body, freshness=self.client.freshness(end))
                timed += reply.rows("data", to=partial(to_sample, members), optional=True)
            samples = [sample for sample in last_of_each(timed) if sample.at <= self.client.now]
            found.append(fine_rows(samples, start, end, device.rated_power_kw, began))
        return found

    def _totals(
        self,
        level: Level,
        first: date,
        site: Site,
        members: tuple[str, ...],
        devices: list[SolarInverter] | list[Battery],
    ) -> list[Row]:
        """The days of a month or the months of a year, of one device, or of the station where none is named."""
        clock, (unit, step, form) = site.clock, CHARTS[level]
        owner, id = ("inverter", devices[0].vendor_id) if devices else ("station", site.vendor_id)
        end = day_start(next_period(unit, first), clock)
        body = {"id": id, "money": "", unit.value: first.strftime(form)}
        call = f"{owner}{unit.capitalize()}"
        reply = self.client.post_read(f"/v1/api/{call}", body=body, freshness=self.client.freshness(end))
        reply.record(lambda raw: all_of(rows(raw, "data", optional=True), "inverterId", id))
        timed: list[Timed] = reply.rows("data", to=partial(to_total, members, clock), optional=True)
        return totals(last_of_each(timed), step, clock, inverters_clock(site))
