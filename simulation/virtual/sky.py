"""The sky over any point of the globe: the way of the sun, the climate of the latitude, and the weather of the days.

The sun repeats itself every 1,461 quarter days, 365.25 days: in this decade that is good to 0.03 degrees, and a
quarter of a day to 0.05. Hence one small table serves all coordinates and years.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import copysign, cos, radians, sin

from simulation.daylight import ClearDay, Panels
from simulation.noise import numbers
from simulation.sun import DAY_SECONDS, J2000_NOON, Sun, declination_and_equation, solar_midnight

QUARTER_DAY = DAY_SECONDS // 4
QUARTERS_OF_A_YEAR = 1461
# The table is made for the cycle that begins in 2020, in the middle of the years in question.
TABLE_CYCLE = 20
NOON_OF_DAY_0 = (DAY_SECONDS // 2 - J2000_NOON) // QUARTER_DAY

MAX_TILT = 35.0
LEAST_CLEARNESS, GREATEST_CLEARNESS = 0.08, 0.9
# Mean share of the clear-sky energy that arrives, by degrees from the equator: dry belts lie near the tropics.
CLEARNESS = (
    (0.0, 0.53),
    (15.0, 0.60),
    (25.0, 0.69),
    (35.0, 0.65),
    (45.0, 0.51),
    (55.0, 0.40),
    (70.0, 0.38),
    (90.0, 0.36),
)
# At a summer solstice it is clearer than on average, at a winter solstice less clear, by so much from 45 degrees on.
SUMMER_CLEARNESS = 0.11
# Weather passes over from one spell to the next within four days: 92 spells cover a year, and the last needs a next.
SPELLS = 92 + 1
OBLIQUITY = radians(23.44)


# Declination in radians and equation of time in seconds for each quarter day of the year; made at import, in 2 ms.
SUN_TABLE = tuple(
    declination_and_equation(J2000_NOON + QUARTER_DAY * (TABLE_CYCLE * QUARTERS_OF_A_YEAR + quarter))
    for quarter in range(QUARTERS_OF_A_YEAR)
)
# Sine and cosine of the declination.
DECLINATION_TABLE = tuple((sin(declination), cos(declination)) for declination, _ in SUN_TABLE)


@dataclass(frozen=True)
class Sky:
    """The sky over a point of the globe, in degrees, north and east positive. All of a site's devices share it."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError(f"no point of the globe has latitude {self.latitude} and longitude {self.longitude}")

    def clear_day(self, day: int) -> ClearDay:
        """The course of a solar day without clouds."""
        sun = self.sun(day)
        return ClearDay(self._panels.arc(sun.declination), sun.noon)

    def sun(self, day: int) -> Sun:
        """True noon and declination of a solar day."""
        declination, equation = SUN_TABLE[(4 * day + self._phase) % QUARTERS_OF_A_YEAR]
        return Sun(solar_midnight(day, self.longitude) + DAY_SECONDS / 2 - equation, declination)

    def clear_kwh(self, days: range) -> list[float]:
        """Energy of each of the days for 1 kW of panels without clouds and losses."""
        phase = self._phase
        return self._panels.clear_kwh(DECLINATION_TABLE[(4 * day + phase) % QUARTERS_OF_A_YEAR] for day in days)

    def expected_clearness(self, days: range) -> list[float]:
        """The climate of each of the days: the share of the clear-sky energy that arrives on average."""
        mean, summer = self._climate
        phase, per_sine = self._phase, summer / sin(OBLIQUITY)
        return [mean + per_sine * DECLINATION_TABLE[(4 * day + phase) % QUARTERS_OF_A_YEAR][0] for day in days]

    def weather(self, year: int, days: int) -> list[float]:
        """How much clearer than expected each day of a year is: weather that lasts some days, and the day itself."""
        noise = numbers("weather", self.cell, year, count=SPELLS + days)
        spells = [
            start + (end - start) * part for start, end in pairwise(noise[:SPELLS]) for part in (0, 0.25, 0.5, 0.75)
        ]
        # Where it is clear on average, it is so on most days.
        spread = (0.77 - 0.7 * self._climate[0]) / 65_535
        return [
            spread * (1.2 * spell + 0.8 * chance - 65_535)
            for spell, chance in zip(spells[:days], noise[SPELLS:], strict=True)
        ]

    @cached_property
    def _panels(self) -> Panels:
        return Panels(self.latitude, min(MAX_TILT, abs(self.latitude)))

    @cached_property
    def cell(self) -> str:
        """The key of the weather: neighbours have the same."""
        # Adding 0.0 turns -0.0 into 0.0.
        return f"{round(self.latitude, 1) + 0.0}/{round(self.longitude, 1) + 0.0}"

    @cached_property
    def _climate(self) -> tuple[float, float]:
        """Mean clearness, and how much clearer it is at the June solstice."""
        distance = abs(self.latitude)
        above = min(bisect_right(CLEARNESS, (distance, 1.0)), len(CLEARNESS) - 1)
        (low, from_clearness), (high, to_clearness) = CLEARNESS[above - 1], CLEARNESS[above]
        mean = from_clearness + (to_clearness - from_clearness) * (distance - low) / (high - low)
        return mean, copysign(SUMMER_CLEARNESS * min(1.0, distance / 45), self.latitude)

    @cached_property
    def _phase(self) -> int:
        return NOON_OF_DAY_0 - round(self.longitude / 90)
