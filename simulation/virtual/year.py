"""Daily amounts whose sum over a year is known before the days are.

The total of a year is its climate times a chance. Only a read that looks into a year makes its days, and these are
moved, each within what its sun can give, until they add up to that total. All sums are multiples of a power of two,
which a float holds exactly: no difference depends on where the counting begins.
"""

from abc import ABC, abstractmethod
from array import array
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import accumulate
from math import exp, fsum, log
from operator import add, mul
from typing import ClassVar

from simulation.noise import fraction
from simulation.virtual.sky import GREATEST_CLEARNESS, LEAST_CLEARNESS, Sky

# Amounts count from here; in no time zone does 2015 begin before it.
FIRST_YEAR = 2014
DAY_0 = date(1970, 1, 1).toordinal()
# kWh of 1 kW of panels, or fillings of a battery: far below 1 Wh, and 50 bits hold the sums of centuries.
STEP = 2.0**-30
YEARLY_SPREAD = 0.05
CLIMATE_YEAR = 2021
# How much of the room in a battery the first kWh fills, for each kWh of its nameplate.
SLOPE = 0.5
# Of a year and of a total with their keys, at most. 13.5 MB hold two years of 1,000 sites, of which a third have
# batteries.
YEAR_BYTES, TOTAL_BYTES = 4_500, 1_000
CACHED_YEARS, CACHED_TOTALS = 13_500_000 // YEAR_BYTES, 4_000_000 // TOTAL_BYTES


@dataclass(frozen=True)
class Daily(ABC):
    """A quantity that each solar day brings some of, depending on the energy of its sun."""

    sky: Sky
    # The amount of typical weather compared with that of expected weather.
    typical: ClassVar[float] = 1.0

    @abstractmethod
    def amounts(self, energies_kwh: list[float]) -> list[float]:
        """The amount of each day, from the energy of 1 kW of panels; the more energy, the more of it."""

    @abstractmethod
    def energy_kwh(self, amount: float) -> float:
        """The energy that brings the amount."""


@dataclass(frozen=True)
class Yield(Daily):
    """The energy itself: kWh of 1 kW of panels."""

    def amounts(self, energies_kwh: list[float]) -> list[float]:
        """The energies as they are."""
        return energies_kwh

    def energy_kwh(self, amount: float) -> float:
        """The amount as it is."""
        return amount


@dataclass(frozen=True)
class Fill(Daily):
    """The share of a battery that the day charges; kwp_per_kwh is the size of the panels that charge it."""

    kwp_per_kwh: float
    typical: ClassVar[float] = 0.96

    def amounts(self, energies_kwh: list[float]) -> list[float]:
        """Shares that rise with the energy as long as the battery is empty, and approach 1."""
        slope = SLOPE * self.kwp_per_kwh
        return [1 - exp(-slope * energy_kwh) for energy_kwh in energies_kwh]

    def energy_kwh(self, amount: float) -> float:
        """The inverse of amounts()."""
        return -log(1 - amount) / (SLOPE * self.kwp_per_kwh)


class Year:
    """The days of one year by the sun: what has come since the beginning of FIRST_YEAR before each of them."""

    def __init__(self, daily: Daily, year: int) -> None:
        days = days_of(year)
        self.first_day = days.start
        clear = daily.sky.clear_kwh(days)
        clearness = map(add, daily.sky.expected_clearness(days), daily.sky.weather(year, len(days)))
        bounded = [max(LEAST_CLEARNESS, min(GREATEST_CLEARNESS, share)) for share in clearness]
        amounts = daily.amounts(list(map(mul, bounded, clear)))
        total = total_of(daily, year)
        limit = GREATEST_CLEARNESS if fsum(amounts) < total else LEAST_CLEARNESS
        moved = moved_to_total(amounts, daily.amounts([limit * kwh for kwh in clear]), total)
        start = sum(total_of(daily, past) for past in range(FIRST_YEAR, year))
        self._sums = array("d", (start + to_step(so_far) for so_far in accumulate(moved, initial=0.0)))

    def before(self, day: int) -> float:
        """The sum over all days before a day of this year, or before the first of the next."""
        return self._sums[day - self.first_day]


@lru_cache(maxsize=CACHED_YEARS)
def year_of(daily: Daily, year: int) -> Year:
    """The days of a year, made once as long as they are in use."""
    return Year(daily, year)


def day_of(daily: Daily, day: int) -> tuple[float, float]:
    """The sums before and after a solar day; (0, 0) for days before FIRST_YEAR."""
    year = date.fromordinal(DAY_0 + day).year
    if year < FIRST_YEAR:
        return 0.0, 0.0
    days = year_of(daily, year)
    return days.before(day), days.before(day + 1)


def days_of(year: int) -> range:
    """The numbers of the solar days from 1 January to 31 December."""
    return range(date(year, 1, 1).toordinal() - DAY_0, date(year + 1, 1, 1).toordinal() - DAY_0)


def total_of(daily: Daily, year: int) -> float:
    """The sum over a whole year."""
    chance = fraction("year", daily.sky.cell, year)
    return to_step(climate_total(daily) * (1 - YEARLY_SPREAD + 2 * YEARLY_SPREAD * chance))


@lru_cache(maxsize=CACHED_TOTALS)
def climate_total(daily: Daily) -> float:
    """The sum over a year whose days are all as expected, from every fifth of them."""
    days = days_of(CLIMATE_YEAR)[::5]
    expected = map(mul, daily.sky.expected_clearness(days), daily.sky.clear_kwh(days))
    return 5 * daily.typical * fsum(daily.amounts(list(expected)))


def moved_to_total(amounts: list[float], bounds: list[float], total: float) -> list[float]:
    """Moves all amounts by the same part of the way to their bounds, so that they add up to the total."""
    missing, room = total - fsum(amounts), fsum(bounds) - fsum(amounts)
    part = missing / room if room else 0.0
    return [amount + (bound - amount) * part for amount, bound in zip(amounts, bounds, strict=True)]


def to_step(amount: float) -> float:
    """The nearest multiple of STEP."""
    return round(amount / STEP) * STEP
