"""The course of one day's energy on tilted panels: the clear sky, and the clouds that bend it.

Under a clear sky the energy follows from the geometry in closed form. Clouds bend that curve with 24 weights,
which are calm on clear days and wild on cloudy ones, and leave the sum of the day untouched.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import acos, copysign, cos, pi, radians, sin, sqrt, tan
from typing import NamedTuple

from simulation.sun import DAY_SECONDS, sunset_angle

KNOTS = 24
RADIANS_PER_SECOND = 2 * pi / DAY_SECONDS


class Arc(NamedTuple):
    """The sun over a plane: the sine of its height there is a + b cos(hour angle), while that is within -half to half.

    energy: the integral of that sine over the day, in radians; times 12 / pi it is the kWh of one kW of panels.
    """

    a: float
    b: float
    half: float
    energy: float


class Panels:
    """Panels at a latitude that face the equator; latitude and tilt in degrees."""

    def __init__(self, latitude: float, tilt: float) -> None:
        self._latitude = latitude
        # A plane that faces the equator sees the sun as flat ground does at another latitude.
        plane = radians(latitude - copysign(min(tilt, abs(latitude)), latitude))
        self._sin, self._cos = sin(plane), cos(plane)
        self._tangents = tan(radians(latitude)), tan(plane)

    def arc(self, declination: float) -> Arc:
        """The way of the sun over the panels on a day; half is 0 in polar night."""
        a, b = self._sin * sin(declination), self._cos * cos(declination)
        half = min(sunset_angle(self._latitude, declination), acos(max(-1.0, min(1.0, -a / b))))
        return Arc(a, b, half, 2 * (a * half + b * sin(half)))

    def clear_kwh(self, declinations: Iterable[tuple[float, float]]) -> list[float]:
        """Energy of 1 kW of panels on days without clouds, each given by sine and cosine of the declination.

        The same as 12 / pi times the energy of the arc, in a loop made for the days of whole years.
        """
        ground, plane = self._tangents
        a_per_sine, b_per_cosine = 24 / pi * self._sin, 24 / pi * self._cos
        energies = []
        for sine, cosine in declinations:
            tangent = sine / cosine
            # Cosine of the hour angle at which the sun leaves the ground or the plane, whichever is earlier.
            edge = -ground * tangent if ground * tangent < plane * tangent else -plane * tangent
            edge = -1.0 if edge < -1 else min(edge, 1.0)
            energies.append(a_per_sine * sine * acos(edge) + b_per_cosine * cosine * sqrt(1 - edge * edge))
        return energies


class ClearDay:
    """The course of one day under a clear sky. `noon` in epoch seconds."""

    def __init__(self, arc: Arc, noon: float) -> None:
        self._a, self._b, self._half, energy = arc
        self._noon = noon
        self._morning = energy / 2
        self._per_energy = 1 / energy if energy > 0 else 0.0

    def share(self, t: float) -> float:
        """Share of the day's clear-sky energy that has come by the instant, from 0 at sunrise to 1."""
        angle = (t - self._noon) * RADIANS_PER_SECOND
        if angle <= -self._half:
            return 0.0
        if angle >= self._half:
            return 1.0
        share = (self._a * angle + self._b * sin(angle) + self._morning) * self._per_energy
        return max(0.0, min(1.0, share))


class CloudCurve:
    """Turns shares of the clear-sky energy of a day into shares of its energy under clouds.

    `bends` are KNOTS numbers of 16 bits. The widest weight is at most 1 / clearness times the mean one: hence power
    never exceeds that of a clear sky at clearness 1.
    """

    def __init__(self, bends: Sequence[int], clearness: float) -> None:
        swing = 0.95 * (1 - clearness) / (1 + clearness)
        sums = list(accumulate((1 + swing * (bend / 32_767.5 - 1) for bend in bends), initial=0.0))
        self._shares = tuple(value / sums[-1] for value in sums)

    def share_at(self, clear_share: float) -> float:
        """Share of the day's energy that has come when that share of the clear-sky energy has."""
        if clear_share >= 1.0:
            return 1.0
        knot = int(clear_share * KNOTS)
        low = self._shares[knot]
        return low + (self._shares[knot + 1] - low) * (clear_share * KNOTS - knot)
