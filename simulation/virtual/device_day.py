"""One solar day of one device: what has come before it and after it, and its course under the device's own clouds."""

from functools import cached_property, lru_cache

from simulation.daylight import KNOTS, CloudCurve
from simulation.noise import numbers
from simulation.pv import CHARGE_FROM, CHARGE_TO
from simulation.virtual.sky import GREATEST_CLEARNESS
from simulation.virtual.year import Daily, day_of

Seed = int | str

# Of a day with its key, at most. A day of quarter hours looks at two or three days of each device, a year of days at
# each once: 4 MB are enough for a page of some hundred devices.
DAY_BYTES = 2_000
CACHED_DAYS = 4_000_000 // DAY_BYTES


class DeviceDay:
    """A day of a daily quantity; before and after are its sums at the beginning and at the end of the day."""

    def __init__(self, daily: Daily, seed: Seed, day: int) -> None:
        self._daily, self._seed, self._day = daily, seed, day
        self._clear = daily.sky.clear_day(day)
        self.before, self.after = day_of(daily, day)

    def share(self, t: float) -> float:
        """Share of the day's energy that has come by the instant."""
        clear_share = self._clear.share(t)
        # Most reads of whole days fall into the night, and need no clouds.
        return self._curve.share_at(clear_share) if 0.0 < clear_share < 1.0 else clear_share

    def charged_share(self, t: float) -> float:
        """Share of the day's charge that has come by the instant: batteries charge in proportion to PV."""
        clear_share = self._clear.share(t)
        if not CHARGE_FROM < clear_share < CHARGE_TO:
            return 0.0 if clear_share <= CHARGE_FROM else 1.0
        first, last = self._curve.share_at(CHARGE_FROM), self._curve.share_at(CHARGE_TO)
        return (self._curve.share_at(clear_share) - first) / (last - first)

    @cached_property
    def _curve(self) -> CloudCurve:
        """The clouds that pass over the device; the cloudier the day, the more they vary."""
        energy_kwh = self._daily.energy_kwh(self.after - self.before)
        (clear_kwh,) = self._daily.sky.clear_kwh(range(self._day, self._day + 1))
        clearness = min(GREATEST_CLEARNESS, energy_kwh / clear_kwh) if clear_kwh else GREATEST_CLEARNESS
        return CloudCurve(numbers("clouds", self._seed, self._day, count=KNOTS), clearness)


@lru_cache(maxsize=CACHED_DAYS)
def device_day(daily: Daily, seed: Seed, day: int) -> DeviceDay:
    """The day of a device, made once as long as it is in use."""
    return DeviceDay(daily, seed, day)


def between(low: float, high: float, share: float) -> float:
    """The sum at that share of the way: never above `high`, since the difference of two sums of days is exact."""
    return low + (high - low) * share
