"""The calls that both APIs of Enphase have for one system, its devices and their series.

Number of calls, those cached for an hour in brackets: a site's summary 1, with batteries 3 and its devices; a
microinverter 3, a battery 4, the only one of its site 5 or 6; series 1 for each day of microinverters and each 7 days
of meters and batteries, one more for the last hour of a day of 25; days and months of a site 1 for any range; [the
system 1, its devices 1].
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

from vendors.enphase import series, state
from vendors.enphase.records import (
    DEVICES,
    check_ids,
    devices_of,
    encharge_id,
    encharge_ids,
    has_production_meter,
    is_alone,
)
from vendors.enphase.series import DAY, MICRO_STEP, RETENTION, Feed, graded
from vendors.kit import (
    OAUTH_CLIENT,
    AnyDevice,
    Battery,
    CalendarUnit,
    DeviceRow,
    Freshness,
    Key,
    Level,
    Messages,
    NotOffered,
    Reply,
    Row,
    Sample,
    Series,
    Shape,
    Site,
    SolarInverter,
    Stage,
    Tile,
    Vendor,
    calendar_tiles,
    day_start,
    find_record,
    fixed_tiles,
    next_period,
    rows_from_amounts,
    rows_from_totals,
)

MICRO, ENCHARGE = "/devices/micros/{}/telemetry", "/devices/encharges/{}/telemetry"
MICROS, METERS, ALL_BATTERIES = "/telemetry/production_micro", "/telemetry/production_meter", "/telemetry/battery"
WEEKS_OF_A_MONTH = 5
PAGE_SIZE = 100
# The stored members of an application, which has a key as well.
APPLICATION = {**OAUTH_CLIENT, "apiKey": "key"}


class EnphaseCloud(Vendor):
    stage = Stage.SERIES
    lag = timedelta(minutes=25)

    systems: ClassVar[str]
    """Path of the list of systems; below it that of each system, by its id."""
    lifetime: ClassVar[str]
    events: ClassVar[str]
    settings: ClassVar[str]
    """Path of the settings of a system's batteries, with the id of the system."""
    quarters: ClassVar[dict[str, str]] = {}
    """Parameters that request rows of 15 minutes from meters and batteries, where other rows are possible."""

    def _known_site(self, key: Key) -> Site:
        """The site without its state; NotFound if the account does not have it."""
        raise NotImplementedError

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        systems = [site] if site else [row.vendor_id for row in self.sites()]

        def read(system: str) -> list[DeviceRow]:
            return devices_of(system, self._get("/devices", system, only=DEVICES))

        yield from self.client.each(systems, read, one_call=True)

    def site(self, key: Key) -> Site:
        known = self._known_site(key)
        summary = partial(state.with_summary, known, self.client.now)
        summarized = self.client.optional(lambda: self._get("/summary", *key, freshness=Freshness.LIVE).record(summary))
        site = summarized.result() or known
        if site.bess is None:
            return site
        latest = self.client.optional(lambda: self._latest(site.vendor_id))
        ids = self.client.optional(lambda: self._get("/devices", *key, only=DEVICES).record(encharge_ids))
        percent = self.client.optional(lambda: self._charge(site.vendor_id)).result()
        reply = latest.result()
        flow = reply.record(partial(state.flow_of_all, ids.result())) if reply else None
        return state.with_charge(site, percent, flow)

    def battery(self, key: Key) -> Battery:
        battery, devices = self._device(key, Battery)
        id = devices.record(partial(encharge_id, battery.serial_number))
        if id:
            with_flow = partial(state.with_flow, battery, id)
            latest = self.client.optional(lambda: self._latest(key[0]).record(with_flow))
            newest_charge = partial(state.newest_charge, self.client.now)
            percent = self.client.optional(
                lambda: self._get(ENCHARGE, *key, freshness=Freshness.TODAY).record(newest_charge)
            )
            mode = self.client.optional(lambda: self._mode(key[0]))
            battery = replace(latest.result() or battery, soc_percent=percent.result(), mode=mode.result())
        return self._alone(battery) if is_alone(devices_of(key[0], devices)) else battery

    def _alone(self, battery: Battery) -> Battery:
        """The only battery of its site, with the capacity and the charge that are reported of the site."""
        system, percent = battery.vendor_site_id, battery.soc_percent
        capacity = self.client.optional(
            lambda: self._get("/summary", system, freshness=Freshness.LIVE).record(state.capacity_of)
        )
        if percent is None:
            percent = self.client.optional(lambda: self._charge(system)).result()
        return replace(battery, nameplate_kwh=capacity.result(), soc_percent=percent)

    def _with_day(self, inverter: SolarInverter) -> SolarInverter:
        """The microinverter with its power, its production of today and its open events."""
        with_day = partial(state.with_day, inverter, self.client.now)
        today = self.client.optional(
            lambda: self._get(MICRO, *inverter.key, freshness=Freshness.TODAY).record(with_day)
        )
        recent_errors = self.client.optional(lambda: self._errors(inverter))
        return replace(today.result() or inverter, recent_errors=recent_errors.result())

    def _errors(self, device: SolarInverter) -> Messages:
        reply = self._get(self.events, device.vendor_site_id, freshness=Freshness.LIVE)
        events = reply.record(partial(state.open_events, device.serial_number))
        to_messages = partial(state.to_messages, events, now=self.client.now)
        return self.client.get(self.systems + "/event_types").record(to_messages) if events else to_messages({})

    def _device(self, key: Key, kind: type[AnyDevice]) -> tuple[AnyDevice, Reply]:
        """The device if it is of that kind, and the reply with all devices of its system; NotFound if not."""
        reply = self._get("/devices", key[0], freshness=Freshness.TODAY)
        return find_record(devices_of(key[0], reply), kind, key, reply.url), reply

    def _charge(self, system: str) -> float | None:
        """State of charge of all batteries, from a series whose rows, of this morning, are not read."""
        reply = self._get(ALL_BATTERIES, system, params={"granularity": "15mins"}, freshness=Freshness.LIVE)
        return reply.record(state.charge_of)

    def _latest(self, system: str) -> Reply:
        return self._get("/latest_telemetry", system, freshness=Freshness.LIVE)

    def solar_intervals(self, key: Key, level: Level) -> Series:
        feed = Feed(MICRO, key, series.production, MICRO_STEP, days=1, nights=True)
        if level is Level.MONTH:
            raise NotOffered  # A month is 31 calls.
        return self._telemetry(self._known_site(key[:1]), feed, level)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        battery, devices = self._device(key, Battery)
        if not devices.record(partial(encharge_id, battery.serial_number)):
            raise NotOffered  # AC Batteries have no series any more.
        return self._telemetry(self._known_site(key[:1]), Feed(ENCHARGE, key, series.flows), level)

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        site = self._known_site(key)
        if not level.is_fine:
            return self._days(site, self.lifetime, ("production",))
        if self._get("/devices", *key).record(has_production_meter):
            return self._telemetry(site, Feed(METERS, key, series.production), level)
        return self._telemetry(site, Feed(MICROS, key, series.production, MICRO_STEP, days=1, nights=True), level)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        site = self._known_site(key)
        if not any(row.kind is Battery for row in devices_of(key[0], self._get("/devices", *key))):
            raise NotOffered
        if not level.is_fine:
            return self._days(site, "/battery_lifetime", ("charge", "discharge"))
        return self._telemetry(site, Feed(ALL_BATTERIES, key, series.flows), level)

    def _telemetry(self, site: Site, feed: Feed, level: Level) -> Series:
        """Intervals of rows, also days and months where Enphase has no totals."""
        zone = self._zone(site)
        oldest = day_start((self.client.now - RETENTION).astimezone(zone).date(), zone)

        def rows(begins: datetime, ends: datetime) -> list[list[Row]]:
            samples = self._samples(feed, max(begins, oldest), ends)
            all_rows = rows_from_amounts(samples, series.step_of(samples, feed.step), at_end=True)
            return [[graded(row, level) for row in all_rows if begins <= row.start < ends]]

        def month(first: date) -> list[list[Row]]:
            return rows(day_start(first, zone), day_start(next_period(CalendarUnit.MONTH, first), zone))

        tiles = fixed_tiles(feed.days, zone, rows)
        if level is Level.MONTH:
            tiles = calendar_tiles(CalendarUnit.MONTH, zone, month, calls=WEEKS_OF_A_MONTH)
        return Series(zone, tiles, self.lag, feed.nights, max(site.operational_since or oldest, oldest))

    def _samples(self, feed: Feed, begins: datetime, ends: datetime) -> list[Sample]:
        samples: list[Sample] = []
        for start, end, granularity in series.calls_for(feed, begins, ends, self.client.now):
            params: dict[str, str | int] = {"start_at": int(start.timestamp()), "granularity": granularity}
            params |= self.quarters if feed.step > MICRO_STEP else {}
            reply = self._get(feed.path, *feed.ids, params=params, freshness=self.client.freshness(min(end, ends)))
            samples += reply.record(feed.to)
        return samples

    def _days(self, site: Site, path: str, members: tuple[str, ...]) -> Series:
        """Days, and months made of them: all in one call, which without `end_date` would end yesterday."""
        zone = self._zone(site)

        def rows() -> list[list[Row]]:
            today = self.client.now.astimezone(zone).date()
            reply = self._get(path, site.vendor_id, params={"end_date": today.isoformat()}, freshness=Freshness.TODAY)
            return [
                rows_from_totals(reply.record(partial(series.days, members=members, zone=zone)), zone, CalendarUnit.DAY)
            ]

        def tiles(start: datetime, end: datetime) -> list[Tile]:
            return [Tile(start, end, rows)]

        return Series(zone, tiles, self.lag, nights=len(members) == 1, since=site.operational_since)

    def _zone(self, site: Site) -> tzinfo:
        """The site's clock; where the list does not name it, the offset that Enphase writes for that site."""
        if site.timezone:
            return ZoneInfo(site.timezone)
        yesterday = (self.client.now - DAY).date()
        params = {"start_date": yesterday.isoformat(), "granularity": "15mins"}
        return self._get(MICROS, site.vendor_id, params=params).record(series.offset)

    def _get(
        self,
        path: str,
        *ids: str,
        params: Mapping[str, str | int] | None = None,
        freshness: Freshness = Freshness.INVENTORY,
        only: Shape | None = None,
    ) -> Reply:
        """A call about a system, whose id comes first, or about a device of it."""
        reply = self.client.get(f"{self.systems}/{{}}{path}", *ids, params=params, freshness=freshness, only=only)
        reply.record(partial(check_ids, ids))
        return reply

    def _mode(self, system: str) -> str | None:
        reply = self.client.get(self.settings, system)
        reply.record(partial(check_ids, (system,)))
        return reply.record(state.mode_of)
