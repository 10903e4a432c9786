"""Batteries whose day begins and ends at the floor, so that no state has to be carried from day to day.

Self Consumption: charges from PV in the morning, gives it back from 17:00 to 03:00 mean solar time.
Savings: charges from the grid at night and discharges in the evening, by the local clock.
Backup: stays full; no energy flows.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import sqrt
from threading import Lock
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulation.places import Place
from simulation.pv import FIRST_DAY, Pv
from simulation.sun import DAY_SECONDS, SECONDS_PER_DEGREE, solar_midnight

SELF_CONSUMPTION = "Self Consumption"
SAVINGS = "Savings"
BACKUP = "Backup"
MODES = (SELF_CONSUMPTION, SAVINGS, BACKUP)

ROUND_TRIP = 0.9
ONE_WAY = sqrt(ROUND_TRIP)
DAY_BORDER = 3 * 3600
GIVE_BACK_FROM, GIVE_BACK_FOR = 17 * 3600, 10 * 3600
PV_TAKEN = 0.8
# kW for each kWh of capacity.
RATED_C = 0.5


@dataclass(frozen=True)
class Battery:
    """Capacity in kWh, the mode it is run in, and the state of charge in percent that it never goes below."""

    capacity_kwh: float
    mode: str
    floor_percent: float = 10.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"battery mode is {self.mode!r}, expected one of {', '.join(MODES)}")
        if self.capacity_kwh <= 0 or not 0 <= self.floor_percent < 100:
            raise ValueError("a battery needs a capacity above 0 kWh and a floor of 0 to below 100 percent")

    @property
    def rated_kw(self) -> float:
        """The greatest power that a command brings about, at the terminals."""
        return RATED_C * self.capacity_kwh

    @property
    def full_charge_kwh(self) -> float:
        """Energy that fills the battery from its floor, charging losses included."""
        return self.capacity_kwh * (1 - self.floor_percent / 100) / ONE_WAY


class Flows(NamedTuple):
    """kWh through the terminals since the beginning of 2015, and kWh now stored above the floor."""

    charge_kwh: float
    discharge_kwh: float
    stored_kwh: float


Cycle = Callable[[float], Flows]


def cycle_of(battery: Battery, place: Place, pv: Pv, pv_kwp: float) -> Cycle:
    """The flows of a battery as a function of time, for a site of that place and peak power."""
    if battery.mode == SELF_CONSUMPTION:
        return _self_consumption(battery.full_charge_kwh, place.longitude, pv, pv_kwp)
    if battery.mode == SAVINGS:
        return _savings(battery.full_charge_kwh, ZoneInfo(place.timezone))
    full = Flows(0.0, 0.0, battery.full_charge_kwh * ONE_WAY)
    return lambda t: full


def _self_consumption(full_kwh: float, longitude: float, pv: Pv, pv_kwp: float) -> Cycle:
    shift = SECONDS_PER_DEGREE * longitude - DAY_BORDER
    taken = PV_TAKEN * pv_kwp

    def charges(first: int, last: int) -> Iterator[float]:
        return (min(full_kwh, taken * stretch) for stretch in pv.stretches_kwh(first, last))

    sums = DaySums(charges)

    def flows(t: float) -> Flows:
        number = int((t + shift) // DAY_SECONDS)
        day = pv.day(number)
        charged = 0.0
        if day.stretch_kwh > 0:
            charged = (day.share(t) - day.stretch_from) * day.kwh / day.stretch_kwh
        evening = solar_midnight(number, longitude) + GIVE_BACK_FROM
        return _flows(
            sums.before(number),
            min(full_kwh, taken * day.stretch_kwh),
            max(0.0, min(1.0, charged)),
            ease((t - evening) / GIVE_BACK_FOR),
        )

    return flows


def _savings(full_kwh: float, zone: ZoneInfo) -> Cycle:
    first = date(2014, 12, 30).toordinal()

    def flows(t: float) -> Flows:
        local = datetime.fromtimestamp(t, zone).date()
        charge_from, charge_to, give_from, give_to = clock_times(zone, local)
        days = local.toordinal() - first
        charged = ease((t - charge_from) / (charge_to - charge_from))
        returned = ease((t - give_from) / (give_to - give_from))
        # The day count stays outside the products: a day's end and the next day's start are the same number.
        whole = _flows(float(days), 1.0, charged, returned)
        return Flows(*(full_kwh * part for part in whole))

    return flows


@lru_cache(maxsize=1024)
def clock_times(zone: ZoneInfo, local: date) -> tuple[float, float, float, float]:
    """Instants at which a Savings battery starts and ends charging and discharging on a local date."""
    charge_from, charge_to, give_from, give_to = (
        datetime(local.year, local.month, local.day, hour, tzinfo=zone).timestamp() for hour in (1, 5, 17, 21)
    )
    return charge_from, charge_to, give_from, give_to


class DaySums:
    """Sums of a daily value over all days before a given one; they grow on demand, under a lock."""

    def __init__(self, values: Callable[[int, int], Iterable[float]]) -> None:
        self._values = values
        self._sums = array("d", [0.0])
        self._lock = Lock()

    def before(self, day: int) -> float:
        """Sum over the days from the first of all up to, but not including, that day."""
        index = day - FIRST_DAY
        if index >= len(self._sums):
            self._grow(index)
        return self._sums[index]

    def _grow(self, index: int) -> None:
        with self._lock:
            known = len(self._sums) - 1
            values = self._values(FIRST_DAY + known, FIRST_DAY + index)
            for value in values:
                self._sums.append(self._sums[-1] + value)


def _flows(before: float, amount: float, charged: float, returned: float) -> Flows:
    return Flows(
        before + amount * charged,
        ROUND_TRIP * (before + amount * returned),
        ONE_WAY * amount * (charged - returned),
    )


def ease(x: float) -> float:
    """3x² - 2x³, held at 0 before and at 1 after: power swells and fades instead of switching."""
    if x <= 0.0:
        return 0.0
    return min(1.0, x * x * (3 - 2 * x)) if x < 1.0 else 1.0
