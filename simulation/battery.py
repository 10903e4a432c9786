"""Batteries whose day begins and ends at the floor, so that no state has to be carried from day to day.

Self Consumption: charges from PV in the morning, gives it back from 17:00 to 03:00 mean solar time.
Savings: charges from the grid at night and discharges in the evening, by the local clock.
Backup: stays full; no energy flows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import sqrt
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulation.places import Place
from simulation.pv import DaySums, Pv
from simulation.sun import DAY_SECONDS, SECONDS_PER_DEGREE, solar_midnight

SELF_CONSUMPTION = "Self Consumption"
SAVINGS = "Savings"
BACKUP = "Backup"
MODES = (SELF_CONSUMPTION, SAVINGS, BACKUP)

ROUND_TRIP = 0.9
ONE_WAY = sqrt(ROUND_TRIP)
_DAY_BORDER = 3 * 3600
_GIVE_BACK_FROM, _GIVE_BACK_FOR = 17 * 3600, 10 * 3600
# Shares of the clear-sky day between which PV charges the battery, and the share of that PV it takes.
_CHARGE_FROM, _CHARGE_TO, _PV_TAKEN = 0.10, 0.75, 0.8


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
    def full_charge_kwh(self) -> float:
        """Energy that fills the battery from its floor, charging losses included."""
        return self.capacity_kwh * (1 - self.floor_percent / 100) / ONE_WAY


class Flows(NamedTuple):
    """Energy through the terminals since the beginning of 2015, and the energy now stored above the floor; kWh."""

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
    shift = SECONDS_PER_DEGREE * longitude - _DAY_BORDER

    @lru_cache(maxsize=64)
    def stretch(number: int) -> tuple[float, float, float]:
        day = pv.day(number)
        low, high = day.share_at(_CHARGE_FROM), day.share_at(_CHARGE_TO)
        return min(full_kwh, _PV_TAKEN * pv_kwp * day.kwh * (high - low)), low, high - low

    sums = DaySums(lambda number: stretch(number)[0])

    def flows(t: float) -> Flows:
        number = int((t + shift) // DAY_SECONDS)
        amount, low, width = stretch(number)
        charged = max(0.0, min(1.0, (pv.day(number).share(t) - low) / width))
        evening = solar_midnight(number, longitude) + _GIVE_BACK_FROM
        returned = _ease((t - evening) / _GIVE_BACK_FOR)
        return _flows(sums.before(number), amount, charged, returned)

    return flows


def _savings(full_kwh: float, zone: ZoneInfo) -> Cycle:
    first = date(2014, 12, 30).toordinal()

    def flows(t: float) -> Flows:
        local = datetime.fromtimestamp(t, zone).date()
        charge_from, charge_to, give_from, give_to = _clock_times(zone, local)
        days = local.toordinal() - first
        charged = _ease((t - charge_from) / (charge_to - charge_from))
        returned = _ease((t - give_from) / (give_to - give_from))
        # The day count stays outside the products: a day's end and the next day's start are the same number.
        whole = _flows(float(days), 1.0, charged, returned)
        return Flows(*(full_kwh * part for part in whole))

    return flows


@lru_cache(maxsize=1024)
def _clock_times(zone: ZoneInfo, local: date) -> tuple[float, float, float, float]:
    """Instants at which a Savings battery starts and ends charging and discharging on a local date."""
    one, five, seventeen, twenty_one = (
        datetime(local.year, local.month, local.day, hour, tzinfo=zone).timestamp() for hour in (1, 5, 17, 21)
    )
    return one, five, seventeen, twenty_one


def _flows(before: float, amount: float, charged: float, returned: float) -> Flows:
    return Flows(
        before + amount * charged,
        ROUND_TRIP * (before + amount * returned),
        ONE_WAY * amount * (charged - returned),
    )


def _ease(x: float) -> float:
    """3x² - 2x³, held at 0 before and at 1 after: power swells and fades instead of switching."""
    if x <= 0.0:
        return 0.0
    return min(1.0, x * x * (3 - 2 * x)) if x < 1.0 else 1.0
