"""Solis' view of a site: a station with one to three inverters; a battery is part of a hybrid inverter.

The platform has a row of each device about every five minutes, never on the clock's grid. A string inverter sleeps
at night: it has no rows then, and keeps what it last reported. Its day ends at midnight of the
inverter's clock, which has no daylight saving and is some seconds off.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from sandbox.dialect import SiteView
from sandbox.solis.constants import CLOCK_ERRORS, LAG_SECONDS, STAMP_JITTER, STAMP_SECONDS
from sandbox.times import zone_of
from simulation import Device, Site, View

ROW = 300
DAY = 86_400
# The counters' steps: 0.1 kWh, and 1 kWh for a lifetime.
STEP_WH, LIFETIME_STEP_WH = 100, 1000
SHARES = {1: (1.0,), 2: (0.55, 0.45), 3: (0.4, 0.35, 0.25)}
HYBRID_SHARES = {1: (1.0,), 2: (1.0,), 3: (0.6, 0.4)}
STATION_ID, INVERTER_ID = 1_298_491_919_440_000_000, 1_308_675_217_940_000_000
STALE_SECONDS = 1800


@dataclass(frozen=True, eq=False)
class Inverter:
    """One inverter of a station, perhaps with a battery."""

    site: Site
    view: View
    device: Device
    battery: Device | None
    number: int
    zone: timezone = field(init=False)
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        error = timedelta(seconds=CLOCK_ERRORS[self.number % len(CLOCK_ERRORS)])
        object.__setattr__(self, "zone", timezone(standard_offset(self.site) + error))
        object.__setattr__(self, "begun", self.site.operational_since.timestamp())

    def stamp(self, index: int) -> float:
        """The instant of the row that belongs to that five minutes of the epoch."""
        return ROW * index + STAMP_SECONDS + (index * 7919 + self.number * 613) % (STAMP_JITTER + 1)

    def reports(self, stamp: float) -> bool:
        """Whether there is a row: hybrids report day and night, the others while the sun was on them."""
        if stamp <= self.begun:
            return False
        return self.battery is not None or self.site.pv_kwh(stamp) > self.site.pv_kwh(stamp - ROW)

    def stamps(self, start: float, end: float, now: float) -> Iterator[float]:
        """The rows from `start` until before `end` that the platform shows by now."""
        for index in range(int(start // ROW) - 1, int(end // ROW) + 1):
            stamp = self.stamp(index)
            if start <= stamp < end and stamp <= now - LAG_SECONDS and self.reports(stamp):
                yield stamp

    def last_stamp(self, now: float) -> float | None:
        """The instant of the last row that the platform shows by now; None before the first."""
        newest = now - LAG_SECONDS
        index = int((newest - STAMP_SECONDS) // ROW)
        index -= self.stamp(index) > newest
        if self.reports(self.stamp(index)):
            return self.stamp(index)
        dusk = self._dusk(self.stamp(index))
        if dusk is None:
            return None
        index = int((dusk - STAMP_SECONDS - STAMP_JITTER) // ROW)
        return next(
            self.stamp(candidate) for candidate in (index, index + 1, index + 2) if self.stamp(candidate) >= dusk
        )

    def _dusk(self, night: float) -> float | None:
        """The instant, to the second, at which the energy counter came to its rest."""
        energy = self.site.pv_kwh(night)
        if energy <= 0:
            return None
        after, span = night, 3600.0
        before = night - span
        while self.site.pv_kwh(before) >= energy:
            after, span = before, 2 * span
            before = after - span
        while after - before > 1:
            middle = (before + after) / 2
            before, after = (before, middle) if self.site.pv_kwh(middle) >= energy else (middle, after)
        return after

    def is_online(self, now: float) -> bool:
        """Whether it was awake lately; hybrids never sleep."""
        newest = now - LAG_SECONDS
        if self.battery is not None:
            return newest > self.begun
        return self.site.pv_kwh(newest) > self.site.pv_kwh(newest - STALE_SECONDS)

    def midnight(self, t: float) -> float:
        """The last midnight of the inverter's clock."""
        offset = self.zone.utcoffset(None).total_seconds()
        return (t + offset) // DAY * DAY - offset

    def kwh(self, quantity: str, start: float, end: float, step_wh: int = STEP_WH) -> float:
        """The energy between two readings of the counter; 0 for a battery's quantity without one."""
        device = self.device if quantity == "pv" else self.battery
        if device is None:
            return 0.0
        until = self.view.reading_wh(device, quantity, end, step_wh)
        return (until - self.view.reading_wh(device, quantity, start, step_wh)) / 1000

    def lifetime_kwh(self, quantity: str, t: float, step_wh: int = STEP_WH) -> float:
        """The lifetime counter. A pack was filled once when it was mounted, so its charge never reads 0."""
        energy = self.kwh(quantity, 0.0, t, step_wh)
        if quantity == "charge" and self.battery is not None:
            energy += round(self.battery.capacity_kwh or 0.0, 1)
        return energy

    def watts(self, quantity: str, t: float) -> float:
        """Mean power of the five minutes before; 0 for a battery's quantity without one."""
        device = self.device if quantity == "pv" else self.battery
        return 0.0 if device is None else self.view.power_w(device, quantity, t, over=ROW)

    def soc(self, t: float) -> float:
        """State of charge in whole percent; 0 without a battery, as the platform says."""
        return float(round(self.site.soc_percent(t) or 0)) if self.battery else 0.0


@dataclass(frozen=True)
class Station(SiteView):
    """A site as Solis shows it."""

    units: tuple[Inverter, ...]


def standard_offset(site: Site) -> timedelta:
    """The offset of the site's zone without daylight saving, which is what Solis calls its time zone."""
    moment = datetime(2026, 1, 15, tzinfo=zone_of(site))
    return (moment.utcoffset() or timedelta()) - (moment.dst() or timedelta())


def station(site: Site) -> Station:
    """The station that the site is."""
    station_id = str(STATION_ID + 1_000_003 * site.number)
    shares = SHARES[1 + site.number % 3]
    hybrids = HYBRID_SHARES[len(shares)] if site.battery else ()
    devices: list[Device] = []
    pairs: list[tuple[Device, Device | None]] = []
    for index, share in enumerate(shares):
        battery_share = hybrids[index] if index < len(hybrids) else None
        pair = _devices(site, station_id, index, share, battery_share)
        devices += [device for device in pair if device]
        pairs.append(pair)
    view = View(site, devices)
    units = (Inverter(site, view, *pair, 4 * site.number + index) for index, pair in enumerate(pairs))
    return Station(site, station_id, view, tuple(units))


def _devices(
    site: Site, station_id: str, index: int, share: float, battery_share: float | None
) -> tuple[Device, Device | None]:
    number = 4 * site.number + index
    serial = f"{'6' if battery_share else '1'}20B40{number:09d}"
    native = {"stationId": station_id, "id": str(INVERTER_ID + 7_919 * number), "sn": serial}
    kw = round(site.pv_kwp * share, 1)
    model = f"S6-EH1P{kw:g}K-L" if battery_share else f"S5-GR1P{kw:g}K"
    device = Device("solar_inverter", share, native, serial, model, f"Inverter {index + 1}", rated_kw=kw)
    if battery_share is None or site.battery is None:
        return device, None
    capacity = round(site.battery.capacity_kwh * battery_share, 1)
    return device, Device("battery", battery_share, native, serial, model, device.name, capacity_kwh=capacity)
