"""The places of the fleet's sites: two dozen, with clocks, seasons and skies of all kinds.

The order matters: a fleet takes the places from the top, so the first eight already hold half-hour zones,
both hemispheres, polar day and night, a daylight saving of 30 minutes and days that begin at 01:00.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A point on the globe, its clock, and the sky over it.

    latitude, longitude: degrees, north and east positive. tilt: degrees; the panels face the equator.
    clearness: mean share of the clear-sky energy that arrives, losses of the plant included.
    june: how much clearer it is at the June solstice than on average (less clear, when negative).
    spread: the most that the weather of a day adds to the clearness or takes from it.
    """

    name: str
    latitude: float
    longitude: float
    timezone: str
    tilt: float = 30.0
    clearness: float = 0.5
    june: float = 0.0
    spread: float = 0.3


PLACES = (
    Place("Berlin", 52.52, 13.40, "Europe/Berlin", 35, 0.428, 0.06, 0.36),
    Place("Phoenix", 33.45, -112.07, "America/Phoenix", 25, 0.709, 0.02, 0.22),
    Place("Delhi", 28.61, 77.21, "Asia/Kolkata", 25, 0.593, -0.05, 0.24),
    Place("Adelaide", -34.93, 138.60, "Australia/Adelaide", 25, 0.658, -0.05, 0.28),
    Place("Lord Howe", -31.55, 159.08, "Australia/Lord_Howe", 22, 0.593, -0.02, 0.30),
    Place("Tromsø", 69.65, 18.96, "Europe/Oslo", 40, 0.385, 0.02, 0.30),
    Place("Santiago", -33.45, -70.67, "America/Santiago", 25, 0.639, -0.09, 0.24),
    Place("Kathmandu", 27.72, 85.32, "Asia/Kathmandu", 25, 0.590, -0.09, 0.26),
    Place("Quito", -0.18, -78.47, "America/Guayaquil", 10, 0.525, 0.02, 0.30),
    Place("Auckland", -36.85, 174.76, "Pacific/Auckland", 28, 0.539, -0.03, 0.32),
    Place("Honolulu", 21.31, -157.86, "Pacific/Honolulu", 18, 0.614, 0.02, 0.22),
    # A site whose clock is not that of its longitude: noon comes at about 14:20 in summer.
    Place("Glasgow", 55.8, -4.3, "Europe/Berlin", 35, 0.352, 0.04, 0.32),
    Place("Cairo", 30.04, 31.24, "Africa/Cairo", 25, 0.695, 0.05, 0.18),
    Place("Cape Town", -33.92, 18.42, "Africa/Johannesburg", 25, 0.662, -0.08, 0.26),
    Place("St. John's", 47.56, -52.71, "America/St_Johns", 35, 0.447, 0.03, 0.34),
    Place("Chatham Islands", -43.95, -176.55, "Pacific/Chatham", 30, 0.483, -0.02, 0.32),
    Place("Tokyo", 35.68, 139.69, "Asia/Tokyo", 30, 0.509, -0.05, 0.34),
    Place("Tehran", 35.69, 51.39, "Asia/Tehran", 28, 0.660, 0.06, 0.22),
    Place("São Paulo", -23.55, -46.63, "America/Sao_Paulo", 20, 0.539, 0.03, 0.30),
    Place("Kiritimati", 1.87, -157.43, "Pacific/Kiritimati", 10, 0.613, 0.01, 0.22),
    Place("Denver", 39.74, -104.99, "America/Denver", 30, 0.644, 0.02, 0.28),
    Place("Lisbon", 38.72, -9.14, "Europe/Lisbon", 30, 0.603, 0.07, 0.28),
    Place("Darwin", -12.46, 130.84, "Australia/Darwin", 15, 0.638, 0.10, 0.24),
    Place("Halifax", 44.65, -63.58, "America/Halifax", 35, 0.474, 0.04, 0.34),
)
