"""SolisCloud Platform API V2.0.

Credential: `X-Authorization-solis: Basic base64(<key id>:<key secret>)`. The secret is never sent: each call
carries an HMAC-SHA1 over its method, body digest, type, date and path.
Calls: sites one per 100; devices one per 100 inverters (no site list needed), and one for each battery that may have
been taken away, 10 at most; one site 1; one inverter 2 and one per 100 alarms, 5 at most; one battery 1; intervals 1
for each day of quarters or hours of each device (2 on a day of 25 hours), month of days, year of months, and 2 for the
device and the time zone. The vendor wants one call in flight per key. All calls are POST.
Quirks: errors come with status 200, some even with `success: true`, so only `code` counts. The daily quota
shares the code of "no authority" and differs in its text. Ids are decimal texts of 19 digits. A battery is part
of a hybrid inverter, and answers about string inverters have battery members too. `model` is a type code; only the
detail has a trade name (`machine`).
Source: SolisCloud Platform API Document V2.0; codes beyond it as seen by public clients, read November 2026.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from vendors.kit import (
    MAX_CALLS,
    AnyDevice,
    Battery,
    CalendarUnit,
    CredentialHeaders,
    DeviceRow,
    Freshness,
    Key,
    Level,
    Limits,
    ListCalls,
    NotFound,
    NotOffered,
    Rate,
    Reply,
    Request,
    Row,
    Sample,
    Series,
    Shape,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    Tile,
    TypedKeys,
    Variant,
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
from vendors.solis.errors import failure_of
from vendors.solis.records import INVERTERS, STATIONS, check_ids, is_in_doubt, reports_no_battery, to_devices, to_site
from vendors.solis.series import (
    CHARTS,
    FLOWS,
    PRODUCED,
    Source,
    Timed,
    fine_rows,
    offsets,
    to_sample,
    to_total,
    to_totals,
)
from vendors.solis.signature import signed_headers
from vendors.solis.state import battery_now, inverter_now, inverters_clock, read_alarms, site_now

T = TypeVar("T")

PAGE_SIZE = 100
# For so many inverters of a list the detail is read, since their battery may have been taken away.
MAX_DOUBTS = 10

TYPED = TypedKeys({"keyID": "Key ID", "keySecret": "Key secret"})


class Solis(Vendor):
    stage = Stage.SERIES
    hosts = {"solis": {"main": "https://www.soliscloud.com:13333"}}
    titles = {"solis": "Solis"}
    credential_headers = CredentialHeaders(basic)
    variants = (Variant("apikeysecret", {"keyID": "id", "keySecret": "secret"}, consent=TYPED),)
    limits = Limits(parallel=1, rate=Rate(2, 1), group=("id",))
    list_calls = ListCalls(
        "1 for every 100 sites",
        "1 for every 100 inverters, and 1 for each battery that may have been taken away, 10 at most",
    )
    no_control = "The slots of Solis repeat daily and would have to be cleared afterwards."
    lacks = frozenset({
        "site.latitude", "site.longitude", "site.bess.mode", "site.bess.nameplate_kwh", "battery.name", "battery.model",
        "battery.kind", "battery.mode", "battery.nameplate_kwh", "battery.rated_power_kw", "battery.recent_errors",
    })  # fmt: skip
    # 6 minutes, and the time until the next row.
    lag = timedelta(minutes=12)

    def sign(self, request: Request) -> None:
        request.headers |= signed_headers(request, self.credential["id"], self.credential["secret"])

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        return failure_of(reply, request)

    def sites(self) -> Iterator[SiteRow]:
        yield from self.client.pages(lambda number: self._page("userStationList", STATIONS, number, to_site))

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        doubts = 0

        def listed(raw: Raw) -> tuple[list[DeviceRow], bool]:
            return to_devices(raw), is_in_doubt(raw)

        entries = self.client.pages(lambda number: self._page("inverterList", INVERTERS, number, listed, site))
        for devices, in_doubt in entries:
            doubts += in_doubt
            is_gone = in_doubt and doubts <= MAX_DOUBTS and self._has_lost_battery(devices[0].vendor_id)
            yield from devices[:1] if is_gone else devices

    def _has_lost_battery(self, inverter: str) -> bool:
        """Whether the detail reports that there is no battery, although the list's counters show one."""
        reply = self.client.optional(lambda: self._detail("inverterDetail", inverter, Freshness.INVENTORY)).result()
        return reply is not None and reply.record(lambda raw: reports_no_battery(raw["data"]))

    def _page(
        self, call: str, only: Shape, number: int, to: Callable[[Raw], T], station: str | None = None
    ) -> tuple[list[T], bool]:
        body = {"pageNo": number, "pageSize": PAGE_SIZE} | ({"stationId": station} if station else {})
        reply = self.client.post_read(f"/v1/api/{call}", body=body, only=only)
        raws = reply.record(lambda raw: rows(raw, "data", "page", "records"))
        if station:
            reply.record(lambda _: check_ids(raws, "stationId", station))
        converted = reply.rows("data", "page", "records", to=to)
        # `pages` is 0 for an empty account; an empty page ends the list whatever the counter is.
        pages = reply.record(lambda raw: int(raw["data"]["page"]["pages"]))
        return converted, number < pages and bool(raws)

    def site(self, key: Key) -> Site:
        return self._station(key[0], Freshness.LIVE)

    def solar_inverter(self, key: Key) -> SolarInverter:
        detail, device = self._device(key, SolarInverter)
        site = self.client.optional(lambda: self._station(device.vendor_site_id)).result()
        since, serial = site.operational_since if site else None, device.serial_number
        # Without a serial number the alarms of all devices would be listed.
        log = self.client.optional(lambda: read_alarms(self.client, serial, since)).result() if serial else None
        return replace(inverter_now(device, site, detail, self.client.now), recent_errors=log)

    def battery(self, key: Key) -> Battery:
        detail, device = self._device(key, Battery)
        return battery_now(device, detail, self.client.now)

    def solar_intervals(self, key: Key, level: Level) -> Series:
        return self._of_device(key, level, PRODUCED, SolarInverter)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        return self._of_device(key, level, FLOWS, Battery)

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        return self._of_site(key[0], level, PRODUCED, SolarInverter)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        return self._of_site(key[0], level, FLOWS, Battery)

    def _detail(self, call: str, id: str, freshness: Freshness) -> Reply:
        """The detail of a station or inverter. Raises NotFound for none, BadReply if it names another id."""
        reply = self.client.post_read(f"/v1/api/{call}", body={"id": id}, freshness=freshness)
        detail = reply.record(lambda raw: as_object(raw["data"] or {}))
        if not detail:
            raise NotFound(reply.url)
        reply.record(lambda _: check_ids([detail], "id", id))
        return reply

    def _station(self, station: str, freshness: Freshness = Freshness.INVENTORY) -> Site:
        reply = self._detail("stationDetail", station, freshness)
        return reply.record(lambda raw: site_now(to_site(raw["data"]).record(), raw["data"], self.client.now))

    def _device(self, key: Key, kind: type[AnyDevice]) -> tuple[Raw, AnyDevice]:
        """The inverter's detail, and the inverter or its battery."""
        reply = self._detail("inverterDetail", key[0], Freshness.LIVE)
        detail: Raw = reply.record(lambda raw: raw["data"])
        # A device that never reported has a detail of zeros without an id; only the list has its identity.
        rows = self.devices() if not detail.get("id") else reply.record(lambda raw: to_devices(raw["data"]))
        return detail, find_record(rows, kind, key, reply.url)

    def _of_device(self, key: Key, level: Level, members: tuple[str, ...], kind: type[AnyDevice]) -> Series:
        _, device = self._device(key, kind)
        return self._series(Source(self._station(device.vendor_site_id), members, [device]), level)

    def _of_site(self, station: str, level: Level, members: tuple[str, ...], kind: type[AnyDevice]) -> Series:
        """Quarters and hours from the devices, days and months from the station's own charts."""
        devices = [row.record() for row in unique(self.devices(station)) if row.kind is kind]
        if not devices or (level.is_fine and len(devices) * 2 > MAX_CALLS):
            raise NotOffered
        return self._series(Source(self._station(station), members, devices if level.is_fine else []), level)

    def _series(self, source: Source, level: Level) -> Series:
        site = source.site

        def days(start: datetime, end: datetime) -> Iterator[Tile]:
            for tile in calendar_tiles(CalendarUnit.DAY, site.clock, partial(self._day, source))(start, end):
                day = tile.start.astimezone(site.clock).date()
                yield replace(tile, calls=len(source.devices) * len(offsets(day, site.clock)))

        def read_totals(first: date) -> list[list[Row]]:
            return [self._totals(source, level, first)]

        tiles = days if level.is_fine else calendar_tiles(CHARTS[level].unit, site.clock, read_totals)
        return Series(site.clock, tiles, self.lag, nights=source.members is PRODUCED, since=site.operational_since)

    def _day(self, source: Source, day: date) -> list[list[Row]]:
        """The rows of a date, a list for each device."""
        clock = source.site.clock
        start, end = day_start(day, clock), day_start(next_period(CalendarUnit.DAY, day), clock)
        counted_since = day_start(day, inverters_clock(source.site)) if source.members is PRODUCED else None
        return [
            fine_rows(self._readings(source, device, day, end), start, end, device.rated_power_kw, counted_since)
            for device in source.devices
        ]

    def _readings(self, source: Source, device: SolarInverter | Battery, day: date, end: datetime) -> list[Sample]:
        """Readings of a device's counters on a date and next to it, up to now."""
        timed: list[Timed] = []
        for offset in offsets(day, source.site.clock):
            offset_hours = offset.utcoffset(None) / timedelta(hours=1)
            body = {"id": device.vendor_id, "money": "", "time": day.isoformat(), "timeZone": offset_hours}
            reply = self.client.post_read("/v1/api/inverterDay", body=body, freshness=self.client.freshness(end))
            timed += reply.rows("data", to=partial(to_sample, source.members), optional=True)
        return [sample for sample in last_of_each(timed) if sample.at <= self.client.now]

    def _totals(self, source: Source, level: Level, first: date) -> list[Row]:
        """The days of a month or the months of a year, of the device, or of the station where no device is named."""
        clock, chart = source.site.clock, CHARTS[level]
        owner, id = ("inverter", source.devices[0].vendor_id) if source.devices else ("station", source.site.vendor_id)
        end = day_start(next_period(chart.unit, first), clock)
        body = {"id": id, "money": "", chart.unit.value: first.strftime(chart.date_format)}
        call = f"{owner}{chart.unit.capitalize()}"
        reply = self.client.post_read(f"/v1/api/{call}", body=body, freshness=self.client.freshness(end))
        reply.record(lambda raw: check_ids(rows(raw, "data", optional=True), "inverterId", id))
        timed: list[Timed] = reply.rows("data", to=partial(to_total, source.members, clock), optional=True)
        return to_totals(last_of_each(timed), chart.step, clock, inverters_clock(source.site))
