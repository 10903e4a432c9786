"""Virtual solar arrays: production at any coordinates, from a seed alone."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import fsum
from zoneinfo import ZoneInfo

import pytest
from astral import Observer
from astral.sun import elevation
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.sun import sun_of
from simulation.virtual import SolarArray
from simulation.virtual.device_day import device_day
from simulation.virtual.sky import Sky
from simulation.virtual.year import climate_total, year_of

LATITUDES = st.floats(-90, 90) | st.sampled_from([-90.0, -66.6, 0.0, 66.6, 90.0])
LONGITUDES = st.floats(-180, 180) | st.sampled_from([-180.0, 0.0, 180.0])
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2015, 2031))
INSTANTS = st.floats(EARLIEST, LATEST)
SEEDS = st.integers(0, 2**32) | st.text(max_size=20)


def instant(year: int, month: int = 1, day: int = 1, hour: int = 0) -> float:
    return datetime(year, month, day, hour, tzinfo=UTC).timestamp()


def forget() -> None:
    for cached in (year_of, climate_total, device_day):
        cached.cache_clear()


@given(seed=SEEDS, latitude=LATITUDES, longitude=LONGITUDES, at=INSTANTS)
def test_power_lies_between_zero_and_the_rating_anywhere(
    seed: int | str, latitude: float, longitude: float, at: float
) -> None:
    array = SolarArray(seed, latitude, longitude)
    assert 0 <= array.power_kw(at) <= array.rated_power_kw


@given(latitude=st.floats(-89.9, 89.9), longitude=LONGITUDES, at=INSTANTS)
def test_energy_is_exactly_zero_while_the_sun_is_down_and_above_zero_while_it_is_high(
    latitude: float, longitude: float, at: float
) -> None:
    observer = Observer(latitude, longitude)
    heights = [elevation(observer, datetime.fromtimestamp(t, UTC), with_refraction=False) for t in (at, at + 900)]
    energy_kwh = SolarArray("night", latitude, longitude).energy_kwh(at, at + 900)
    if max(heights) < -0.4:
        assert energy_kwh == 0
    elif min(heights) > 25:
        assert energy_kwh > 0


def test_a_month_of_polar_night_is_exactly_zero_and_polar_summers_produce_each_day() -> None:
    for latitude in (75.0, 90.0, -75.0, -90.0):
        array = SolarArray(3, latitude, 20.0)
        dark, light = (12, 6) if latitude > 0 else (6, 12)
        assert array.energy_kwh(instant(2024, dark), instant(2024, dark, 30)) == 0
        days = array.energies_kwh(instant(2024, light) + 86_400 * day for day in range(30))
        assert min(days) > 0


@given(
    seed=SEEDS,
    latitude=LATITUDES,
    longitude=LONGITUDES,
    instants=st.lists(INSTANTS, min_size=2, max_size=12).map(sorted),
)
def test_energies_of_parts_add_up_to_the_energy_of_the_whole(
    seed: int | str, latitude: float, longitude: float, instants: list[float]
) -> None:
    array = SolarArray(seed, latitude, longitude)
    parts = [array.energy_kwh(start, end) for start, end in pairwise(instants)]
    assert min(parts) >= 0
    assert array.energies_kwh(instants) == parts
    assert fsum(parts) == pytest.approx(array.energy_kwh(instants[0], instants[-1]), abs=1e-8)


@pytest.mark.parametrize(
    ("zone", "latitude", "longitude"),
    [
        ("Australia/Lord_Howe", -31.55, 159.08),
        ("America/Santiago", -33.45, -70.67),
        # A zone that is not that of the coordinates: its midnight is at noon by the sun.
        ("Pacific/Auckland", 51.5, 0.0),
    ],
)
def test_quarters_hours_and_days_add_up_to_months_through_both_clock_changes(
    clock_changes: Callable[[ZoneInfo, int], list[date]],
    midnight: Callable[[ZoneInfo, date], float],
    zone: str,
    latitude: float,
    longitude: float,
) -> None:
    array = SolarArray("clock", latitude, longitude)
    for change in clock_changes(ZoneInfo(zone), 2024):
        first = change.replace(day=1)
        after = (first + timedelta(days=32)).replace(day=1)
        dates = [first + timedelta(days=n) for n in range((after - first).days + 1)]
        borders = [midnight(ZoneInfo(zone), day) for day in dates]
        days = array.energies_kwh(borders)
        for seconds in (900, 1800):
            parts = array.energies_kwh(range(int(borders[0]), int(borders[-1]) + 1, seconds))
            assert fsum(parts) == pytest.approx(fsum(days), abs=1e-9)
        assert fsum(days) == pytest.approx(array.energy_kwh(borders[0], borders[-1]), abs=1e-9)
        assert min(days) > 0


def test_the_turn_of_the_year_neither_loses_nor_adds_energy() -> None:
    for longitude in (-180.0, -75.0, 0.0, 75.0, 180.0):
        array = SolarArray(1, -35.0, longitude)
        around = [instant(2023, 12, 30) + 600 * row for row in range(4 * 144)]
        assert fsum(array.energies_kwh(around)) == pytest.approx(array.energy_kwh(around[0], around[-1]), abs=1e-9)
        midnight = instant(2024) - 240 * longitude
        assert array.energies_kwh(midnight + second for second in range(-3, 4)) == [0.0] * 6


SCRIPT = """
from simulation.virtual import SolarArray, StorageUnit, plausible_fleet
from zoneinfo import ZoneInfo
array = SolarArray("device-1", 55.8, -4.3)
unit = StorageUnit("device-2", 10.0, "Self Consumption", 55.8, -4.3, ZoneInfo("Europe/Berlin"))
for t in (1.5e9, 1.6e9 + 0.25, 1.7e9):
    print(repr(array.energy_kwh(1.45e9, t)), array.power_kw(t), unit.flows_kwh(1.45e9, t), unit.soc_percent(t))
print(array.rated_power_kw, plausible_fleet(20, "seed"))
"""


def test_another_process_gives_the_same_numbers_to_the_last_bit() -> None:
    def run(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"}
        command = [sys.executable, "-c", SCRIPT]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout

    assert run("1") == run("2")


@settings(max_examples=25)
@given(
    places=st.lists(st.tuples(LATITUDES, LONGITUDES), min_size=1, max_size=3),
    instants=st.lists(INSTANTS, min_size=2, max_size=6),
)
def test_the_numbers_do_not_depend_on_what_was_asked_before(
    places: list[tuple[float, float]], instants: list[float]
) -> None:
    questions = [(place, t) for place in places for t in instants]

    def answers(ordered: list[tuple[tuple[float, float], float]]) -> list[float]:
        forget()
        return [SolarArray("order", *place).energy_kwh(EARLIEST, t) for place, t in ordered]

    assert answers(questions) == answers(questions[::-1])[::-1]


def test_threads_that_ask_at_once_get_the_numbers_of_a_single_one() -> None:
    instants = [instant(year, month, 7, 11) for year in range(2015, 2026) for month in range(1, 13)]
    forget()
    expected = [SolarArray(9, 28.6, 77.2).energy_kwh(EARLIEST, t) for t in instants]
    forget()
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: [SolarArray(9, 28.6, 77.2).energy_kwh(EARLIEST, t) for t in instants], range(8)))
    assert runs == [expected] * 8


@pytest.mark.parametrize(
    ("latitude", "longitude", "least_kwh", "most_kwh"),
    [
        (52.5, 13.4, 900, 1200),
        (33.4, -112.1, 1500, 2000),
        (-34.9, 138.6, 1500, 1900),
        (69.7, 19.0, 600, 950),
        (0, 0, 1200, 1700),
    ],
)
def test_a_kw_yields_a_plausible_energy_a_year(
    latitude: float, longitude: float, least_kwh: float, most_kwh: float
) -> None:
    array = SolarArray("yearly", latitude, longitude)
    years = [array.energy_kwh(instant(year), instant(year + 1)) / array.rated_power_kw for year in range(2015, 2026)]
    assert least_kwh < fsum(years) / len(years) < most_kwh
    assert 1.01 < max(years) / min(years) < 1.15


def test_some_days_are_much_brighter_than_others_and_summers_than_winters() -> None:
    array = SolarArray("weather", 52.5, 13.4)
    days = array.energies_kwh(instant(2024) + 86_400 * day for day in range(366))
    june, december = days[152:182], days[335:365]
    assert max(june) > 2 * min(june)
    assert fsum(june) > 3.3 * fsum(december)
    noons = [array.power_kw(instant(2024, 6, day, 11)) / array.rated_power_kw for day in range(1, 31)]
    assert max(noons) > 0.65


def test_devices_of_a_site_share_the_weather_of_a_day_but_not_each_cloud() -> None:
    one, other = SolarArray("a", 52.5, 13.4), SolarArray("b", 52.5, 13.4)
    day = instant(2024, 6, 3)
    ratio = one.energy_kwh(day, day + 86_400) / other.energy_kwh(day, day + 86_400)
    assert one.energy_kwh(day, day + 9 * 86_400) == pytest.approx(ratio * other.energy_kwh(day, day + 9 * 86_400))
    hours = [array.energies_kwh(day + 3600 * hour for hour in range(6, 19)) for array in (one, other)]
    assert any(abs(a - ratio * b) > 0.01 * a for a, b in zip(*hours, strict=True))


def test_ratings_are_those_of_homes_and_of_a_few_businesses() -> None:
    ratings = [SolarArray(f"device-{number}", 0, 0).rated_power_kw for number in range(2000)]
    homes = [kw for kw in ratings if 3 <= kw <= 12]
    businesses = [kw for kw in ratings if 30 <= kw <= 200]
    assert len(homes) + len(businesses) == len(ratings)
    assert 120 < len(businesses) < 220
    assert len(set(homes)) > 80


@given(longitude=LONGITUDES, day=st.integers(16_436, 22_280))
def test_the_sun_of_the_table_is_the_sun_of_the_day(longitude: float, day: int) -> None:
    of_table, of_day = Sky(0.0, longitude).sun(day), sun_of(day, longitude)
    assert of_table.declination == pytest.approx(of_day.declination, abs=0.0017)
    assert of_table.noon == pytest.approx(of_day.noon, abs=6)


@pytest.mark.parametrize(("latitude", "longitude"), [(90.1, 0), (0, -180.5), (float("nan"), 0), (0, float("inf"))])
def test_a_point_that_is_not_on_the_globe_is_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="no point of the globe"):
        SolarArray(1, latitude, longitude)
