"""SMA Monitoring API v1, and SMA's public sandbox as `smasbox`.

Credential: `X-Authorization-sma: Bearer <access token>`; SMA's tokens live 300 s.
Calls: sites 1; devices 1 + S for S sites; one site 3; one inverter 4; one battery 3; intervals 1 for each day of
quarters or hours, month of days, year of months, and 1 that tells the time zone. No paging. At most 4 calls in
parallel (SMA publishes no number); a token bucket of unknown size answers 429.
Quirks: serial numbers are not unique, so devices are keyed on deviceId. Charging stations are listed as
"Solar Inverters" but have no generatorPower. Absent values are left out. An account without the owner's
consent has an empty list, which is no error. Ids that moved to ennexOS answer 308.
Source: https://developer.sma.de/sma-apis.html, read November 2026.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from math import fsum
from typing import TypeVar

from vendors.kit import (
    Battery,
    CalendarUnit,
    DeviceRow,
    Freshness,
    Key,
    Level,
    NotFound,
    NotOffered,
    Production,
    RateLimited,
    Reply,
    Request,
    Row,
    Series,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    Status,
    Vendor,
    VendorError,
    calendar_tiles,
    day_start,
    find_record,
    hours,
    next_period,
    without_impossible,
)
from vendors.kit.parsing.reading import Raw, moment, text, zone
from vendors.kit.series.windows import QUARTER
from vendors.sma.records import DEVICES, asked_for, to_device, to_site, to_status
from vendors.sma.series import FLOWS, PRODUCED, Present, lifetime_kwh, to_present, to_rows

# In which SMA refills its token bucket; its 429 may come without a hint.
REFILL_SECONDS = 300.0
DEVICE, PLANT = "/v1/devices/{}", "/v1/plants/{}"
SOLAR_SET, BATTERY_SET, PLANT_SET = "EnergyAndPowerPv", "EnergyAndPowerBattery", "EnergyBalance"
# What is asked for: the period's name, how its date is written, the calendar's unit that one call covers, and the
# resolution of its rows where the answer does not tell it.
DAY = ("Day", "%Y-%m-%d", CalendarUnit.DAY, "FiveMinutes")
PERIODS = {
    Level.QUARTER: DAY,
    Level.HOUR: DAY,
    Level.DAY: ("Month", "%Y-%m", CalendarUnit.MONTH, "OneDay"),
    Level.MONTH: ("Year", "%Y", CalendarUnit.YEAR, "OneMonth"),
}
ENERGIES = {"ReturnEnergyValues": "true"}
MEASUREMENTS = "/measurements/sets/{}/{}"

T = TypeVar("T")
D = TypeVar("D", SolarInverter, Battery)


@dataclass(frozen=True, slots=True)
class Source:
    """One set of measurements of a plant or device, and its clock."""

    path: str
    id: str
    set: str
    members: tuple[str, ...]
    clock: tzinfo
    since: datetime | None = None
    most_kw: float | None = None


class Sma(Vendor):
    stage = Stage.SERIES
    hosts = {
        "sma": {"main": "https://monitoring.smaapis.de"},
        "smasbox": {"main": "https://sandbox.smaapis.de/monitoring"},
    }
    follows_308 = True
    lacks = frozenset({
        "site.utc_offset_hours", "site.bess.nameplate_kwh", "site.bess.mode", "solar_inverter.kind",
        "solar_inverter.recent_errors", "battery.rated_power_kw", "battery.kind", "battery.mode",
        "battery.recent_errors",
    })  # fmt: skip

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        if reply.status == 429 and reply.retry_after is None:
            return RateLimited(reply.url, guess=REFILL_SECONDS)
        return None

    def sites(self) -> Iterator[SiteRow]:
        extras = {"WithInstallation": "true", "WithLocation": "true"}
        yield from self.client.get("/v1/plants", params=extras).rows("plants", to=to_site)

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        plants = [site] if site else [row.vendor_id for row in self.sites()]
        yield from self.client.each(plants, self._devices_of)

    def _devices_of(self, plant: str) -> list[DeviceRow]:
        reply = self.client.get("/v1/plants/{}/devices/lean", plant, only=DEVICES)
        reply.record(lambda raw: asked_for(raw, reply.url))
        return reply.rows("devices", to=partial(to_device, plant))

    def site(self, key: Key) -> Site:
        site = self._known_site(key)
        newest = self.client.optional(lambda: self._newest(self._plant(site, PRODUCED))).result() or Present()
        return replace(
            site,
            bess=newest.bess,
            power_kw=newest.power_kw,
            charge_kw=newest.charge_kw,
            discharge_kw=newest.discharge_kw,
            measured_at=newest.measured_at,
        )

    def solar_inverter(self, key: Key) -> SolarInverter:
        device, source = self._device(key, SolarInverter)
        today = self.client.now.astimezone(source.clock).date()
        of_today = self.client.optional(lambda: self._rows(Level.QUARTER, source, today))
        lifetime = self.client.optional(lambda: self._lifetime(source))
        status, word = self.client.optional(lambda: self._status(source)).result() or (None, None)
        found = replace(device, lifetime_production=lifetime.result(), status=status, vendor_status=word)
        rows = of_today.result()
        if not rows or rows[-1].kwh is None:
            return found
        produced_kwh = fsum(row.kwh[0] for row in rows if row.kwh)
        newest = rows[-1].end - rows[-1].start
        return replace(
            found,
            # The mean of an hour, or of a gap, is not the power now.
            power_kw=rows[-1].kwh[0] / hours(newest) if newest <= QUARTER else None,
            measured_at=rows[-1].end,
            recent_production=Production(produced_kwh, day_start(today, source.clock)),
        )

    def battery(self, key: Key) -> Battery:
        device, source = self._device(key, Battery)
        live = self.client.optional(lambda: self._newest(source))
        status, word = self.client.optional(lambda: self._status(source)).result() or (None, None)
        newest = live.result() or Present()
        return replace(
            device,
            soc_percent=newest.soc_percent,
            charge_kw=newest.charge_kw,
            discharge_kw=newest.discharge_kw,
            measured_at=newest.measured_at,
            status=status,
            vendor_status=word,
        )

    def solar_intervals(self, key: Key, level: Level) -> Series:
        return self._series(self._device(key, SolarInverter)[1], level)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        return self._series(self._device(key, Battery)[1], level)

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        return self._series(self._plant(self._known_site(key), PRODUCED), level)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        if not any(row.kind is Battery for row in self._devices_of(key[0])):
            raise NotOffered
        return self._series(self._plant(self._known_site(key), FLOWS), level)

    def _known_site(self, key: Key) -> Site:
        return find_record(self.sites(), Site, key)

    def _device(self, key: Key, kind: type[D]) -> tuple[D, Source]:
        """The device if it is of that kind, and its measurements; NotFound if not."""
        reply = self.client.get(DEVICE, *key)
        reply.record(lambda raw: asked_for(raw, reply.url))
        row = reply.record(lambda raw: to_device(text(raw["plant"], "plantId"), raw["details"]))
        device = row.record() if row else None
        if not isinstance(device, kind):
            raise NotFound(reply.url, "it is of another kind, or out of service")
        clock = reply.record(lambda raw: zone(raw["plant"], "timezone")) or UTC
        since = reply.record(lambda raw: moment(raw["details"], "startUpUtc"))
        if isinstance(device, Battery):
            return device, Source(DEVICE, device.vendor_id, BATTERY_SET, FLOWS, clock, since)
        return device, Source(DEVICE, device.vendor_id, SOLAR_SET, PRODUCED, clock, since, device.rated_power_kw)

    def _plant(self, site: Site, members: tuple[str, ...]) -> Source:
        return Source(PLANT, site.vendor_id, PLANT_SET, members, site.clock, site.operational_since)

    def _series(self, source: Source, level: Level) -> Series:
        unit = PERIODS[level][2]
        read = calendar_tiles(unit, source.clock, lambda first: [self._rows(level, source, first)])
        return Series(source.clock, read, self.lag, nights=source.members is PRODUCED, since=source.since)

    def _rows(self, level: Level, source: Source, first: date) -> list[Row]:
        """The rows of a day, or those of the days of a month or months of a year."""
        period, form, unit, usual = PERIODS[level]
        start, end = day_start(first, source.clock), day_start(next_period(unit, first), source.clock)
        params = {"Date": first.strftime(form)} | (ENERGIES if level.is_fine else {})
        # Rows of the future may be there, and are none.
        until = min(end, self.client.now)

        def to(raw: Raw) -> list[Row]:
            return to_rows(raw, source.members, source.clock, usual, start, until)

        return without_impossible(
            self._measured(source, period, to, params, self.client.freshness(end)), source.most_kw
        )

    def _newest(self, source: Source) -> Present:
        """The row that was transmitted last."""
        now = self.client.now
        return self._measured(source, "Recent", lambda raw: to_present(raw, source.clock, now), {}, Freshness.LIVE)

    def _lifetime(self, source: Source) -> Production | None:
        total_kwh = self._measured(source, "Total", lifetime_kwh, {"WithTotal": "true"}, Freshness.TODAY)
        return None if total_kwh is None else Production(total_kwh, source.since)

    def _measured(
        self, source: Source, period: str, to: Callable[[Raw], T], params: dict[str, str], freshness: Freshness
    ) -> T:
        """One set of measurements over a period, converted by `to`."""
        path = f"{source.path}{MEASUREMENTS}"
        reply = self.client.get(path, source.id, source.set, period, params=params, freshness=freshness)
        return reply.record(lambda raw: to(asked_for(raw, reply.url)))

    def _status(self, source: Source) -> tuple[Status | None, str | None]:
        reply = self.client.get(DEVICE + "/status", source.id, freshness=Freshness.LIVE)
        return reply.record(lambda raw: to_status(asked_for(raw, reply.url)))
