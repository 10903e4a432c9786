"""The position of the sun, good to about 0.2 degrees.

Time is cut into solar days, whose borders are mean solar midnights of the longitude: the physics knows no
time zone. Declination and equation of time are taken once per solar day, at its mean noon, from the
low-precision formula of the Astronomical Almanac (page C5; https://aa.usno.navy.mil/faq/sun_approx).
"""

from math import acos, asin, atan2, cos, floor, pi, radians, sin, tan
from typing import NamedTuple

DAY_SECONDS = 86_400
SECONDS_PER_DEGREE = 240
J2000_NOON = 946_728_000


class Sun(NamedTuple):
    """The sun of one solar day: true noon in epoch seconds, declination in radians."""

    noon: float
    declination: float


def solar_day(t: float, longitude: float) -> int:
    """Number of the solar day that holds the instant; day 0 begins at mean solar midnight of 1970-01-01."""
    return floor((t + SECONDS_PER_DEGREE * longitude) / DAY_SECONDS)


def solar_midnight(day: int, longitude: float) -> float:
    """The instant at which a solar day begins."""
    return day * DAY_SECONDS - SECONDS_PER_DEGREE * longitude


def sun_of(day: int, longitude: float) -> Sun:
    """True noon and declination of one solar day."""
    mean_noon = solar_midnight(day, longitude) + DAY_SECONDS / 2
    declination, equation = declination_and_equation(mean_noon)
    return Sun(mean_noon - equation, declination)


def declination_and_equation(t: float) -> tuple[float, float]:
    """Declination of the sun in radians, and the equation of time in seconds."""
    since_2000 = (t - J2000_NOON) / DAY_SECONDS
    anomaly = radians(357.529 + 0.98560028 * since_2000)
    mean_longitude = radians(280.459 + 0.98564736 * since_2000)
    ecliptic = mean_longitude + radians(1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    obliquity = radians(23.439 - 0.00000036 * since_2000)
    right_ascension = atan2(cos(obliquity) * sin(ecliptic), cos(ecliptic))
    equation = (mean_longitude - right_ascension + pi) % (2 * pi) - pi
    return asin(sin(obliquity) * sin(ecliptic)), equation * DAY_SECONDS / (2 * pi)


def sunset_angle(latitude: float, declination: float) -> float:
    """Hour angle at which the sun's centre sets, without refraction: 0 in polar night, pi in polar day."""
    return acos(max(-1.0, min(1.0, -tan(radians(latitude)) * tan(declination))))
