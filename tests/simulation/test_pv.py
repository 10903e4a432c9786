"""PV energy: yearly yields, days, and the limits that power keeps."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import pairwise
from math import fsum
from zoneinfo import ZoneInfo

import pytest
from astral import Observer
from astral.sun import elevation
from hypothesis import given
from hypothesis import strategies as st

from simulation import PLACES, Fleet, Place, Site
from simulation import pv as pv_module
from simulation.pv import FIRST_DAY, Pv, PvDay, pv_of
from simulation.sun import solar_day, solar_midnight

MakeSite = Callable[..., Site]
DAYS_2024 = range(19_723, 20_089)


def instant(year: int, month: int = 1, day: int = 1, hour: int = 0) -> float:
    return datetime(year, month, day, hour, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("name", "yearly_kwh"),
    [("Berlin", 1090), ("Phoenix", 1870), ("Delhi", 1580), ("Adelaide", 1720), ("Tromsø", 790)],
)
def test_a_kwp_yields_the_known_yearly_energy_of_its_place(
    places: dict[str, Place], name: str, yearly_kwh: float
) -> None:
    for seed in (1, 2):
        pv = pv_of(places[name], seed)
        mean = (pv.kwh(instant(2025)) - pv.kwh(instant(2015))) / 10
        assert mean == pytest.approx(yearly_kwh, rel=0.03)


def test_summer_yields_more_than_winter_on_both_sides_of_the_equator(places: dict[str, Place]) -> None:
    for name, summer, winter in (("Berlin", 6, 12), ("Tromsø", 6, 12), ("Adelaide", 12, 6)):
        pv = pv_of(places[name], 1)
        months = {month: pv.kwh(instant(2023, month, 28)) - pv.kwh(instant(2023, month)) for month in (summer, winter)}
        assert months[summer] > 1.3 * months[winter]


def test_a_kwp_never_gives_more_than_a_kw_yet_comes_near_it_on_clear_days() -> None:
    most = 0.0
    for place in PLACES:
        pv = pv_of(place, 1)
        for first in range(FIRST_DAY + 5, FIRST_DAY + 1500, 73):
            start = solar_midnight(first, place.longitude)
            readings = [pv.kwh(start + 300 * row) for row in range(289)]
            most = max(most, *((b - a) * 12 for a, b in pairwise(readings)))
    assert 0.8 < most <= 1.0


@given(
    clearness=st.floats(0.0, 1.0),
    latitude=st.floats(-89, 89),
    tilt=st.floats(0, 60),
    seed=st.integers(0, 2**32),
    day=st.integers(FIRST_DAY, FIRST_DAY + 10_000),
    second=st.integers(0, 86_340),
)
def test_no_sky_no_plane_and_no_day_gives_more_than_the_peak_power(
    clearness: float, latitude: float, tilt: float, seed: int, day: int, second: int
) -> None:
    place = Place("Anywhere", latitude, 20.0, "UTC", tilt, clearness)
    made = PvDay(place, seed, day)
    start = solar_midnight(day, place.longitude) + second
    energy = made.kwh * (made.share(start + 60) - made.share(start))
    assert -1e-12 <= energy * 60 <= 1.0 + 1e-9
    assert made.kwh < 24


def test_nothing_is_produced_while_the_sun_is_below_the_horizon(places: dict[str, Place]) -> None:
    rows = {"night": 0, "day": 0}
    for name in ("Berlin", "Delhi", "Lord Howe", "Tromsø", "Quito"):
        place, pv = places[name], pv_of(places[name], 1)
        observer = Observer(place.latitude, place.longitude)
        for month in (1, 3, 6, 9, 11):
            for row in range(288):
                start = instant(2024, month, 20) + 300 * row
                heights = [
                    elevation(observer, datetime.fromtimestamp(t, UTC), with_refraction=False)
                    for t in (start, start + 300)
                ]
                energy = pv.kwh(start + 300) - pv.kwh(start)
                if max(heights) < -0.2:
                    rows["night"] += 1
                    assert energy == 0, (name, month, row)
                elif min(heights) > 20:
                    rows["day"] += 1
                    assert energy > 0, (name, month, row)
    assert min(rows.values()) > 1500


def test_tromsoe_gives_nothing_in_polar_night_and_produces_early_and_late_in_polar_day(
    make_site: MakeSite,
) -> None:
    site = make_site("Tromsø")
    assert site.pv_kwh(instant(2024, 12, 3)) == site.pv_kwh(instant(2025, 1, 8))
    noon = instant(2024, 6, 21, 11)
    producing = [site.pv_kwh(noon + 3600 * h + 3600) > site.pv_kwh(noon + 3600 * h) for h in range(-11, 11)]
    assert sum(producing) in (13, 14, 15)


@pytest.mark.parametrize("name", ["Berlin", "Phoenix", "Kathmandu", "Auckland", "Tromsø", "Kiritimati"])
def test_a_solar_day_holds_exactly_its_own_energy(make_site: MakeSite, name: str) -> None:
    site = make_site(name)
    for number in (*DAYS_2024[::30], DAYS_2024[59]):
        start = solar_midnight(number, site.place.longitude)
        expected = site.pv_kwp * PvDay(site.place, site.seed, number).kwh
        whole = site.pv_kwh(start + 86_400) - site.pv_kwh(start)
        quarters = fsum(site.pv_kwh(start + 900 * q + 900) - site.pv_kwh(start + 900 * q) for q in range(96))
        assert whole == pytest.approx(expected, abs=1e-8)
        assert quarters == pytest.approx(expected, abs=1e-8)


def test_february_2024_has_a_29th_day_with_its_own_energy(make_site: MakeSite) -> None:
    site = make_site("Glasgow")
    zone = ZoneInfo(site.place.timezone)

    def day_kwh(day: date, following: date) -> float:
        start, end = (datetime(d.year, d.month, d.day, tzinfo=zone).timestamp() for d in (day, following))
        return site.pv_kwh(end) - site.pv_kwh(start)

    days = [day_kwh(date(2024, 2, n), date(2024, 2, n + 1)) for n in range(1, 29)]
    leap = day_kwh(date(2024, 2, 29), date(2024, 3, 1))
    assert leap > 0
    assert leap not in days
    assert fsum([*days, leap]) == pytest.approx(day_kwh(date(2024, 2, 1), date(2024, 3, 1)), abs=1e-9)


def test_the_centre_of_two_weeks_of_energy_lies_near_true_noon_whatever_the_zone() -> None:
    for place in PLACES:
        pv = pv_of(place, 1)
        first = DAYS_2024[70]
        start = solar_midnight(first, place.longitude)
        rows = [pv.kwh(start + 300 * row + 300) - pv.kwh(start + 300 * row) for row in range(288 * 14)]
        centre = fsum(energy * (row % 288 + 0.5) for row, energy in enumerate(rows)) / fsum(rows) / 12
        # In the middle of March true noon is some 9 minutes after the mean one.
        assert centre == pytest.approx(12 + 9 / 60, abs=0.25), place.name


@given(st.lists(st.floats(1.42e9, 1.8e9), min_size=2, max_size=30))
def test_energy_never_falls(instants: list[float]) -> None:
    pv = pv_of(PLACES[0], 1)
    readings = [pv.kwh(t) for t in sorted(instants)]
    assert readings == sorted(readings)
    assert readings[0] >= 0


def test_energy_never_falls_across_a_solar_midnight_to_the_second() -> None:
    for place in PLACES:
        pv = pv_of(place, 1)
        border = solar_midnight(DAYS_2024[100], place.longitude)
        readings = {pv.kwh(border + second) for second in range(-5, 6)}
        assert len(readings) == 1


def test_the_first_and_last_moments_of_light_stay_within_the_day() -> None:
    for place in PLACES:
        for number in DAYS_2024[::3]:
            day = PvDay(place, 1, number)
            start = solar_midnight(number, place.longitude)
            for dark, light in ((start, start + 43_200), (start + 86_400, start + 43_200)):
                if not 0 < day.share(light) < 1:
                    continue
                resting = day.share(dark)
                while abs(light - dark) > 1e-5:
                    middle = (dark + light) / 2
                    dark, light = (middle, light) if day.share(middle) == resting else (dark, middle)
                moments = [light + (light - dark) * n for n in range(20)]
                assert all(0 <= day.clear_share(t) <= 1 and 0 <= day.share(t) <= 1 for t in moments)


def test_seeds_and_places_have_weathers_of_their_own(places: dict[str, Place]) -> None:
    def days(name: str, seed: int) -> list[float]:
        return [PvDay(places[name], seed, number).kwh for number in DAYS_2024[150:180]]

    berlin = days("Berlin", 1)
    assert berlin == days("Berlin", 1)
    assert berlin != days("Berlin", 2)
    assert max(berlin) > 2 * min(berlin)
    assert berlin != days("Glasgow", 1)


@contextmanager
def counted_days(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    made: list[int] = []

    class Counted(PvDay):
        def __init__(self, place: Place, seed: int, day: int) -> None:
            made.append(day)
            super().__init__(place, seed, day)

    with monkeypatch.context() as patch:
        patch.setattr(pv_module, "PvDay", Counted)
        yield made


def test_each_day_of_a_place_is_computed_once_for_the_sums_and_once_for_a_closer_look(
    places: dict[str, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted_days(monkeypatch) as made:
        pv = Pv(places["Berlin"], 99)
        end = instant(2025)
        past = solar_day(end, places["Berlin"].longitude) - FIRST_DAY
        for row in range(288 * 30):
            pv.kwh(end - 300 * row)
    assert len(made) <= past + 31


@pytest.mark.exhaustive
def test_a_thousand_sites_share_the_lists_of_24_places() -> None:
    before = pv_of.cache_info().misses
    fleet = Fleet(1000, seed=4711)
    for site in fleet.sites:
        site.pv_kwh(site.operational_since.timestamp() + 1)
    assert pv_of.cache_info().misses - before == len(PLACES) == 24


def test_threads_that_ask_for_new_days_at_once_get_the_same_sums_as_one_alone(
    places: dict[str, Place],
) -> None:
    instants = [instant(year, month) for year in range(2015, 2027) for month in range(1, 13)]
    alone = Pv(places["Delhi"], 5)
    expected = [alone.kwh(t) for t in instants]
    together = Pv(places["Delhi"], 5)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            runs = list(pool.map(lambda _: [together.kwh(t) for t in reversed(instants)], range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert runs == [expected[::-1]] * 8
