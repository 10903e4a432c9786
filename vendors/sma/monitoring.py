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

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from math import fsum
from typing import TypeVar

from vendors.kit import (
    Battery,
    Bess,
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
    SolarInverter,
    Status,
    Vendor,
    VendorError,
    amounts,
    believable,
    calendar,
    day_start,
    following,
    hours,
    labelled,
)
from vendors.kit.reading import Raw, as_object, mapping, moment, number, optional_text, rows, text, zone
from vendors.sma.shapes import CHARGE, DEVICES, FLOWS, PRODUCED, to_device, to_samples, to_site, to_status

# In which SMA refills its token bucket; its 429 may come without a hint.
REFILL_SECONDS = 300.0
STEP = timedelta(minutes=5)
DEVICE, PLANT = "/v1/devices/{}", "/v1/plants/{}"
SOLAR_SET, BATTERY_SET, PLANT_SET = "EnergyAndPowerPv", "EnergyAndPowerBattery", "EnergyBalance"
# What is asked for: the period's name, how its date is written, and the calendar's unit that one call covers.
PERIODS = {
    Level.QUARTER: ("Day", "%Y-%m-%d", "day"),
    Level.HOUR: ("Day", "%Y-%m-%d", "day"),
    Level.DAY: ("Month", "%Y-%m", "month"),
    Level.MONTH: ("Year", "%Y", "year"),
}
ENERGIES = {"ReturnEnergyValues": "true"}
MEASUREMENTS = "/measurements/sets/{}/{}"

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
    hosts = {
        "sma": {"main": "https://monitoring.smaapis.de"},
        "smasbox": {"main": "https://sandbox.smaapis.de/monitoring"},
    }
    follows_308 = True
    lacks = frozenset({
        "site.utc_offset_hours", "site.bess.nameplate_kwh", "site.bess.mode", "solar_inverter.kind",
        "solar_inverter.recent_errors", "battery.nameplate_kwh", "battery.rated_power_kw", "battery.kind",
        "battery.mode", "battery.recent_errors",
    })  # fmt: skip

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        if reply.status == 429 and reply.retry_after is None:
            return RateLimited(reply.url, guess=REFILL_SECONDS)
        return None

    def sites(self) -> Iterator[Site]:
        extras = {"WithInstallation": "true", "WithLocation": "true"}
        yield from self.client.get("/v1/plants", params=extras).rows("plants", to=to_site)

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        plants = [site] if site else [plant.vendor_id for plant in self.sites()]
        yield from self.client.each(plants, self._devices_of)

    def _devices_of(self, plant: str) -> list[SolarInverter | Battery]:
        reply = self.client.get("/v1/plants/{}/devices/lean", plant, only=DEVICES)
        return reply.rows("devices", to=partial(to_device, plant))

    def site(self, key: Key) -> Site:
        site = self._known_site(key)
        newest = self.client.beside(lambda: self._newest(self._plant(site, PRODUCED))).value() or {}
        charge_kw, discharge_kw = kilo(newest, "batteryCharging"), kilo(newest, "batteryDischarging")
        return replace(
            site,
            bess=None if charge_kw is None else Bess(soc_percent=number(newest, CHARGE)),
            power_kw=kilo(newest, "pvGeneration"),
            charge_kw=charge_kw,
            discharge_kw=discharge_kw,
            measured_at=time_of(newest, site.clock),
        )

    def solar_inverter(self, key: Key) -> SolarInverter:
        device, source = self._device(key, SolarInverter)
        today = self.client.now.astimezone(source.clock).date()
        of_today = self.client.beside(lambda: self._rows(Level.QUARTER, source, today))
        lifetime = self.client.beside(lambda: self._lifetime(source))
        status, word = self.client.beside(lambda: self._status(source)).value() or (None, None)
        found = replace(device, lifetime_production=lifetime.value(), status=status, vendor_status=word)
        rows = of_today.value()
        if not rows or rows[-1].kwh is None:
            return found
        produced_kwh = fsum(row.kwh[0] for row in rows if row.kwh)
        return replace(
            found,
            power_kw=rows[-1].kwh[0] / hours(rows[-1].end - rows[-1].start),
            measured_at=rows[-1].end,
            recent_production=Production(produced_kwh, day_start(today, source.clock)),
        )

    def battery(self, key: Key) -> Battery:
        device, source = self._device(key, Battery)
        live = self.client.beside(lambda: self._newest(source))
        status, word = self.client.beside(lambda: self._status(source)).value() or (None, None)
        newest = live.value() or {}
        return replace(
            device,
            soc_percent=number(newest, CHARGE),
            charge_kw=kilo(newest, "batteryCharging"),
            discharge_kw=kilo(newest, "batteryDischarging"),
            measured_at=time_of(newest, source.clock),
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
        if not any(isinstance(device, Battery) for device in self._devices_of(key[0])):
            raise NotOffered
        return self._series(self._plant(self._known_site(key), FLOWS), level)

    def _known_site(self, key: Key) -> Site:
        for site in self.sites():
            if site.key == key:
                return site
        raise NotFound(why="the account has no such plant")

    def _device(self, key: Key, kind: type[D]) -> tuple[D, Source]:
        """The device if it is of that kind, and its measurements; NotFound if not."""
        reply = self.client.get(DEVICE, *key)
        device = reply.record(lambda raw: to_device(text(raw["plant"], "plantId"), raw["details"]))
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
        _, _, unit = PERIODS[level]
        read = calendar(unit, source.clock, lambda first: [self._rows(level, source, first)])
        return Series(source.clock, read, self.lag, nights=source.members is PRODUCED, since=source.since)

    def _rows(self, level: Level, source: Source, first: date) -> list[Row]:
        """The rows of a day, or those of the days of a month or months of a year."""
        period, form, unit = PERIODS[level]
        kind = self.client.kind(day_start(following(unit, first), source.clock))
        params = {"Date": first.strftime(form)} | (ENERGIES if level.is_fine else {})
        reply = self.client.get(f"{source.path}{MEASUREMENTS}", source.id, source.set, period, params=params, kind=kind)
        samples = reply.record(lambda raw: to_samples(rows(raw, "set"), source.members, source.clock))
        if level.is_fine:
            return believable(amounts(samples, STEP, at_end=True, catches_up=True), source.most_kw)
        return labelled(samples, source.clock, "day" if level is Level.DAY else "month")

    def _newest(self, source: Source) -> Raw:
        """The row that was transmitted last, in W; empty when there is none."""
        reply = self.client.get(f"{source.path}{MEASUREMENTS}", source.id, source.set, "Recent", kind="live")
        return reply.record(lambda raw: as_object((rows(raw, "set") or [{}])[-1]))

    def _lifetime(self, source: Source) -> Production | None:
        params = {"WithTotal": "true"}
        reply = self.client.get(
            f"{source.path}{MEASUREMENTS}", source.id, source.set, "Total", params=params, kind="today"
        )
        total_wh = reply.record(lambda raw: number(mapping(raw, "total"), "pvGeneration"))
        return None if total_wh is None else Production(total_wh / 1000, source.since)

    def _status(self, source: Source) -> tuple[Status | None, str | None]:
        return self.client.get(DEVICE + "/status", source.id, kind="live").record(to_status)


def time_of(newest: Raw, clock: tzinfo) -> datetime | None:
    """When the newest row ended, from the plant's clock; None for an empty row."""
    told = optional_text(newest, "time")
    return datetime.fromisoformat(told).replace(tzinfo=clock).astimezone(UTC) if told else None


def kilo(raw: Raw, member: str) -> float | None:
    value = number(raw, member)
    return None if value is None else value / 1000
