"""The sun against astral, which computes it anew for every instant."""

from datetime import UTC, date, datetime
from math import cos, degrees, pi, radians, sin

import pytest
from astral import Observer
from astral.sun import azimuth, elevation

from simulation import PLACES, Place
from simulation.pv import PvDay
from simulation.sun import DAY_SECONDS, Sun, solar_day, solar_midnight, sun_of, sunset_angle

LEAP_DAY, EQUINOX, JUNE, AUTUMN, DECEMBER = (
    date(2024, 2, 29),
    date(2025, 3, 20),
    date(2025, 6, 21),
    date(2025, 10, 5),
    date(2025, 12, 21),
)
DATES = (LEAP_DAY, EQUINOX, JUNE, AUTUMN, DECEMBER)
REFEREED = ("Berlin", "Phoenix", "Delhi", "Adelaide", "Quito", "Auckland", "Tromsø")


def number_of(place: Place, day: date) -> int:
    return solar_day(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp(), place.longitude)


def elevation_by_referee(place: Place, t: float) -> float:
    """Degrees above the horizon of the sun's centre, without refraction."""
    observer = Observer(place.latitude, place.longitude)
    return elevation(observer, datetime.fromtimestamp(t, UTC), with_refraction=False)


def crossing_by_referee(place: Place, dark: float, light: float) -> float:
    """The instant between a dark and a light one at which the sun's centre passes the horizon, to the second."""
    while abs(light - dark) > 1:
        middle = (dark + light) / 2
        dark, light = (dark, middle) if elevation_by_referee(place, middle) > 0 else (middle, light)
    return light


def rise_and_set(place: Place, sun: Sun) -> tuple[float, float]:
    seconds = sunset_angle(place.latitude, sun.declination) * DAY_SECONDS / (2 * pi)
    return sun.noon - seconds, sun.noon + seconds


def worst_error_minutes(place: Place, dates: tuple[date, ...]) -> float:
    worst = 0.0
    for day in dates:
        sun = sun_of(number_of(place, day), place.longitude)
        for ours, midnight in zip(rise_and_set(place, sun), (-43_200, 43_200), strict=True):
            theirs = crossing_by_referee(place, sun.noon + midnight, sun.noon)
            worst = max(worst, abs(ours - theirs) / 60)
    return worst


@pytest.mark.parametrize("name", [name for name in REFEREED if name != "Tromsø"])
def test_the_sun_rises_and_sets_within_96_seconds_of_the_referee(places: dict[str, Place], name: str) -> None:
    assert worst_error_minutes(places[name], DATES) < 1.6


def test_even_in_the_far_north_the_sun_rises_within_four_minutes_of_the_referee(
    places: dict[str, Place],
) -> None:
    assert worst_error_minutes(places["Tromsø"], (LEAP_DAY, EQUINOX, AUTUMN)) < 3.7


@pytest.mark.parametrize("name", REFEREED)
def test_the_sun_is_highest_at_true_noon(places: dict[str, Place], name: str) -> None:
    place = places[name]
    for day in DATES:
        noon = sun_of(number_of(place, day), place.longitude).noon
        observer = Observer(place.latitude, place.longitude)
        hour_side = azimuth(observer, datetime.fromtimestamp(noon, UTC)) % 180
        # Due south or due north; near the zenith the direction turns fast.
        tolerance = 4.0 if elevation_by_referee(place, noon) > 80 else 0.3
        assert min(hour_side, 180 - hour_side) < tolerance, day


def test_the_sun_stays_up_in_polar_day_and_down_in_polar_night(places: dict[str, Place]) -> None:
    place = places["Tromsø"]
    midsummer = sun_of(number_of(place, JUNE), place.longitude)
    midwinter = sun_of(number_of(place, DECEMBER), place.longitude)
    assert sunset_angle(place.latitude, midsummer.declination) == pi
    assert elevation_by_referee(place, midsummer.noon - 43_200) > 0
    assert sunset_angle(place.latitude, midwinter.declination) == 0
    assert elevation_by_referee(place, midwinter.noon) < 0


def test_solar_days_follow_each_other_without_gap_over_new_year_and_leap_day() -> None:
    for place in PLACES:
        for day in (LEAP_DAY, date(2024, 12, 31)):
            number = number_of(place, day)
            border = solar_midnight(number + 1, place.longitude)
            assert solar_day(border + 0.01, place.longitude) == number + 1
            assert solar_day(border - 0.01, place.longitude) == number
            today, tomorrow = (sun_of(n, place.longitude) for n in (number, number + 1))
            assert abs(tomorrow.noon - today.noon - DAY_SECONDS) < 35
            assert abs(degrees(tomorrow.declination - today.declination)) < 0.41


def irradiation_by_referee(place: Place, day: int) -> float:
    """Hours of full sun on the plane of the panels, summed over the day in steps of two minutes."""
    observer = Observer(place.latitude, place.longitude)
    tilt = radians(min(place.tilt, abs(place.latitude)))
    facing = 180 if place.latitude > 0 else 0
    total = 0.0
    start = solar_midnight(day, place.longitude)
    for minute in range(0, 1440, 2):
        moment = datetime.fromtimestamp(start + 60 * minute, UTC)
        height = radians(elevation(observer, moment, with_refraction=False))
        if height > 0:
            away = radians(azimuth(observer, moment) - facing)
            total += max(0.0, sin(height) * cos(tilt) + cos(height) * sin(tilt) * cos(away))
    return total / 30


@pytest.mark.parametrize(("name", "tolerance"), [("Berlin", 0.001), ("Adelaide", 0.001), ("Tromsø", 0.002)])
def test_the_days_energy_is_the_integral_of_the_suns_angle_on_the_panels(
    places: dict[str, Place], name: str, tolerance: float
) -> None:
    sky = Place(name, places[name].latitude, places[name].longitude, "UTC", 30, clearness=0.5, spread=0.0)
    for day in (LEAP_DAY, JUNE, AUTUMN):
        number = number_of(sky, day)
        assert PvDay(sky, 1, number).kwh == pytest.approx(0.5 * irradiation_by_referee(sky, number), rel=tolerance)
