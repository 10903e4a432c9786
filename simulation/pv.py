"""PV energy of one kWp at a place, as a closed form of time.

A day's energy is its clear-sky energy times one clearness. Within the day it follows the clear-sky curve,
bent by 24 weights that are calm on clear days and wild on cloudy ones. Only sums over past days are kept, in
lists that grow when a later day is asked for; all sites of a place share them.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import accumulate
from math import acos, copysign, cos, pi, radians, sin
from struct import Struct
from threading import Lock

from simulation.noise import digest, fraction
from simulation.places import Place
from simulation.sun import DAY_SECONDS, SECONDS_PER_DEGREE, sun_of, sunset_angle

# The solar day 2014-12-30: in no time zone does 2015 begin before it.
FIRST_DAY = 16_434
KNOTS = 24
WEATHER_DAYS = 4
# Shares of the clear-sky day between which batteries charge: here, so that the sites of a place share the sums.
CHARGE_FROM, CHARGE_TO = 0.10, 0.75
NOISE = Struct(f">{KNOTS + 1}H")
RADIANS_PER_SECOND = 2 * pi / DAY_SECONDS
JUNE_SOLSTICE = 171
YEAR_DAYS = 365.2422


class PvDay:
    """One solar day of one kWp: its energy in kWh, and how far along it is at any instant.

    stretch_kwh: the energy of the stretch in which batteries charge; stretch_from: the day's share before it.
    """

    def __init__(self, place: Place, seed: int, day: int) -> None:
        self._noon, declination = sun_of(day, place.longitude)
        # A plane that faces the equator sees the sun as flat ground does at another latitude.
        plane = radians(place.latitude - copysign(min(place.tilt, abs(place.latitude)), place.latitude))
        a = self._a = sin(plane) * sin(declination)
        b = self._b = cos(plane) * cos(declination)
        half = min(sunset_angle(place.latitude, declination), acos(max(-1.0, min(1.0, -a / b))))
        self._half = half
        self._start = a * half + b * sin(half)
        clear = 2 * self._start
        self._per_clear = 1 / clear if clear > 0 else 0.0
        *bends, chance = NOISE.unpack(digest(seed, place.name, day, size=NOISE.size))
        clearness = _clearness(place, seed, day, chance / 65_536)
        self.kwh = clearness * clear * 12 / pi
        self._curve = _curve(bends, clearness)
        self.stretch_from = self.share_at(CHARGE_FROM)
        self.stretch_kwh = self.kwh * (self.share_at(CHARGE_TO) - self.stretch_from)

    def clear_share(self, t: float) -> float:
        """Share of the day's clear-sky energy that has come by the instant, from 0 at sunrise to 1."""
        angle = (t - self._noon) * RADIANS_PER_SECOND
        if angle <= -self._half:
            return 0.0
        if angle >= self._half:
            return 1.0
        share = (self._a * angle + self._b * sin(angle) + self._start) * self._per_clear
        return 0.0 if share < 0.0 else min(share, 1.0)

    def share_at(self, clear_share: float) -> float:
        """Share of the day's energy that has come when that share of the clear-sky energy has."""
        if clear_share >= 1.0:
            return 1.0
        knot = int(clear_share * KNOTS)
        low = self._curve[knot]
        return low + (self._curve[knot + 1] - low) * (clear_share * KNOTS - knot)

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


def _curve(bends: list[int], clearness: float) -> tuple[float, ...]:
    """Share of the day's energy at each knot of the clear-sky share.

    The widest weight is at most 1 / clearness times the mean one: hence power never exceeds the peak power.
    """
    swing = 0.95 * (1 - clearness) / (1 + clearness)
    sums = list(accumulate((1 + swing * (bend / 32_767.5 - 1) for bend in bends), initial=0.0))
    return tuple(value / sums[-1] for value in sums)


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
