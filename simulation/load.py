"""The load of a household: the same curve every day, in mean solar time.

It only fills the grid and home fields of vendors. By the sun's clock every day has 24 hours, so that the
closed form needs no time zone.
"""

from itertools import accumulate

from simulation.sun import DAY_SECONDS, solar_day, solar_midnight

# Relative draw of each solar hour: a small morning peak, a larger evening one.
HOURS = (5, 4, 4, 4, 4, 5, 7, 9, 9, 8, 7, 7, 8, 8, 7, 8, 10, 14, 16, 16, 15, 13, 10, 7)
SUMS = tuple(accumulate(HOURS, initial=0))


def load_kwh(t: float, longitude: float, kwh_per_day: float) -> float:
    """Energy drawn since the beginning of 1970."""
    day = solar_day(t, longitude)
    hour, seconds = divmod(t - solar_midnight(day, longitude), DAY_SECONDS / 24)
    drawn = SUMS[int(hour)] + HOURS[int(hour)] * seconds * 24 / DAY_SECONDS
    return kwh_per_day * (day + drawn / SUMS[-1])
