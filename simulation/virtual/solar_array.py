"""A virtual solar inverter with its panels: energy and power at any instant, from a seed and a point of the globe."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import groupby, pairwise

from simulation.noise import fraction
from simulation.sun import solar_day
from simulation.virtual.device_day import Seed, between, device_day
from simulation.virtual.sky import Sky
from simulation.virtual.year import Yield

BUSINESSES = 1 / 12
# A power reading is the mean of this many seconds before it.
POWER_SECONDS = 60


class SolarArray:
    """An inverter whose panels face the equator; it never gives more than its rated power, and exactly 0 at night.

    Its rating and the losses of its panels follow from the seed; the weather is that of the place, so that all
    devices of a site see the same cloudy days, and within a day each has its own clouds.
    """

    def __init__(self, seed: Seed, latitude: float, longitude: float) -> None:
        self.seed = seed
        self._longitude = longitude
        self._yield = Yield(Sky(latitude, longitude))

    @cached_property
    def rated_power_kw(self) -> float:
        """3 to 12 kW for a home, 30 to 200 for a business."""
        size = fraction("rated power", self.seed)
        if fraction("business", self.seed) < BUSINESSES:
            return float(round(30 + 170 * size))
        return round(3 + 9 * size, 1)

    def energy_kwh(self, start: float, end: float) -> float:
        """Energy produced between two instants."""
        (energy_kwh,) = self.energies_kwh((start, end))
        return energy_kwh

    def energies_kwh(self, borders: Iterable[float]) -> list[float]:
        """Energy of each interval between two borders in a row, such as the quarter hours of a day."""
        return [self._kw * (end - start) for start, end in pairwise(self._yields(borders))]

    def power_kw(self, at: float) -> float:
        """Mean power of the minute that ends at the instant."""
        return self.energy_kwh(at - POWER_SECONDS, at) * 3600 / POWER_SECONDS

    @cached_property
    def _kw(self) -> float:
        """Power of the panels: the rating less the losses of this roof."""
        return self.rated_power_kw * (0.94 + 0.06 * fraction("losses", self.seed))

    def _yields(self, instants: Iterable[float]) -> Iterator[float]:
        """Energy of 1 kW of the panels since the beginning of 2014, at each of the instants."""
        # Neighbours mostly share a day, which is then looked up once.
        for number, of_day in groupby(instants, lambda t: solar_day(t, self._longitude)):
            day = device_day(self._yield, self.seed, number)
            for t in of_day:
                yield between(day.before, day.after, day.share(t))
