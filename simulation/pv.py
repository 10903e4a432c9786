"""PV energy of one kWp at a place, as a closed form of time.

A day's energy is its clear-sky energy times one clearness. Only sums over past days are kept, in
lists that grow when a later day is asked for; all sites of a place share them.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache, partial
from math import cos, pi
from struct import Struct
from threading import Lock

from simulation.daylight import KNOTS, ClearDay, CloudCurve, Panels
from simulation.noise import digest, fraction
from simulation.places import Place
from simulation.sun import DAY_SECONDS, SECONDS_PER_DEGREE, sun_of

# The solar day 2014-12-30: in no time zone does 2015 begin before it.
FIRST_DAY = 16_434
WEATHER_DAYS = 4
# Shares of the clear-sky day between which batteries charge: here, so that the sites of a place share the sums.
CHARGE_FROM, CHARGE_TO = 0.10, 0.75
NOISE = Struct(f">{KNOTS + 1}H")
JUNE_SOLSTICE = 171
YEAR_DAYS = 365.2422


class PvDay:
    """One solar day of one kWp: its energy in kWh, and how far along it is at any instant.

    stretch_kwh: the energy of the stretch in which batteries charge; stretch_from: the day's share before it.
    """

    def __init__(self, place: Place, seed: int, day: int) -> None:
        noon, declination = sun_of(day, place.longitude)
        arc = Panels(place.latitude, place.tilt).arc(declination)
        *bends, chance = NOISE.unpack(digest(seed, place.name, day, size=NOISE.size))
        clearness = _clearness(place, seed, day, chance / 65_536)
        self.kwh = clearness * arc.energy * 12 / pi
        self.clear_share = ClearDay(arc, noon).share
        self.share_at = CloudCurve(bends, clearness).share_at
        self.stretch_from = self.share_at(CHARGE_FROM)
        self.stretch_kwh = self.kwh * (self.share_at(CHARGE_TO) - self.stretch_from)

    def share(self, t: float) -> float:
        """Share of the day's energy that has come by the instant."""
        return self.share_at(self.clear_share(t))


def _clearness(place: Place, seed: int, day: int, chance: float) -> float:
    """Share of the clear-sky energy that comes: the season, the weather of some days, and the day itself."""
    block, within = divmod(day, WEATHER_DAYS)
    before, after = _weather(seed, place.name, block), _weather(seed, place.name, block + 1)
    weather = before + (after - before) * within / WEATHER_DAYS
    season = cos(2 * pi * (day - JUNE_SOLSTICE) / YEAR_DAYS)
    value = place.clearness + place.june * season + place.spread * (1.2 * weather + 0.8 * chance - 1)
    return max(0.08, min(0.9, value))


@lru_cache(maxsize=4096)
def _weather(seed: int, name: str, block: int) -> float:
    return fraction(seed, name, "weather", block)


class Pv:
    """The PV energy of one kWp at one place under the weather of one seed, safe to share by threads.

    A later day than asked for before makes the lists grow, at some 10 µs per day.
    """

    def __init__(self, place: Place, seed: int) -> None:
        self._make = partial(PvDay, place, seed)
        self._shift = SECONDS_PER_DEGREE * place.longitude
        self._before = array("d", [0.0])
        self._stretches = array("d")
        self._lock = Lock()
        self.day = lru_cache(maxsize=512)(self._make)

    def kwh(self, t: float) -> float:
        """Energy since the beginning of 2015, in kWh; it never falls."""
        number = int((t + self._shift) // DAY_SECONDS)
        if number < FIRST_DAY:
            return 0.0
        if number - FIRST_DAY >= len(self._before):
            self._grow(number)
        day = self.day(number)
        return self._before[number - FIRST_DAY] + day.kwh * day.share(t)

    def stretches_kwh(self, first: int, last: int) -> Sequence[float]:
        """Energy in the charging stretch of each day from `first` up to, but not including, `last`."""
        self._grow(last)
        return self._stretches[first - FIRST_DAY : last - FIRST_DAY]

    def _grow(self, number: int) -> None:
        with self._lock:
            for known in range(FIRST_DAY + len(self._stretches), number):
                day = self._make(known)
                self._stretches.append(day.stretch_kwh)
                self._before.append(self._before[-1] + day.kwh)


@lru_cache(maxsize=256)
def pv_of(place: Place, seed: int) -> Pv:
    """The one `Pv` that all sites of a place and seed share."""
    return Pv(place, seed)
