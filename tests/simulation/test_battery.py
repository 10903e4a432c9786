"""Batteries: cycles that close, conserve energy and keep the clock of their mode."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from math import fsum, sqrt
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import PLACES, Battery, Site
from simulation.battery import DaySums
from simulation.pv import FIRST_DAY
from simulation.sun import solar_day, solar_midnight

MakeSite = Callable[..., Site]
ClockChanges = Callable[[ZoneInfo, int], list[date]]
Midnight = Callable[[ZoneInfo, date], float]

ONE_WAY = sqrt(0.9)
YEAR_2024 = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
ROWS_OF_A_YEAR = 366 * 288
CHANGING_ZONES = ("Berlin", "Adelaide", "Lord Howe", "Santiago", "Cairo", "Auckland", "Chatham Islands")


def soc(site: Site, t: float) -> float:
    percent = site.soc_percent(t)
    assert percent is not None
    return percent


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["Berlin", "Adelaide", "Quito", "Tromsø"])
def test_a_year_of_self_consumption_keeps_within_its_bounds_and_conserves_energy(
    make_site: MakeSite, name: str
) -> None:
    battery = Battery(10.0, "Self Consumption", 12.0)
    site = make_site(name, battery)
    before = (site.pv_kwh(YEAR_2024), site.charge_kwh(YEAR_2024), site.discharge_kwh(YEAR_2024))
    level = soc(site, YEAR_2024)
    least, most, charging_rows = 100.0, 0.0, 0
    for row in range(1, ROWS_OF_A_YEAR + 1):
        t = YEAR_2024 + 300 * row
        now = (site.pv_kwh(t), site.charge_kwh(t), site.discharge_kwh(t))
        pv, charge, discharge = (b - a for a, b in zip(before, now, strict=True))
        after = soc(site, t)
        assert 0 <= charge <= 0.8 * pv + 1e-9
        assert discharge >= 0
        stored = (after - level) * battery.capacity_kwh / 100
        assert abs(charge * ONE_WAY - discharge / ONE_WAY - stored) < 1e-9
        least, most, charging_rows = min(least, after), max(most, after), charging_rows + (charge > 0)
        before, level = now, after
    assert least == 12.0
    assert 99.999 < most <= 100
    assert charging_rows > 10_000


@pytest.mark.parametrize("name", [place.name for place in PLACES])
def test_self_consumption_is_back_at_the_floor_at_three_in_the_morning_by_the_sun(
    make_site: MakeSite, name: str
) -> None:
    site = make_site(name, Battery(10.0, "Self Consumption", 20.0))
    first = solar_day(YEAR_2024, site.place.longitude)
    for number in range(first, first + 366, 7):
        border = solar_midnight(number, site.place.longitude) + 3 * 3600
        assert soc(site, border) == 20.0
        assert soc(site, border - 1e-3) == pytest.approx(20.0, abs=1e-6)
        charged = site.charge_kwh(border + 86_400) - site.charge_kwh(border)
        returned = site.discharge_kwh(border + 86_400) - site.discharge_kwh(border)
        assert returned == pytest.approx(0.9 * charged, abs=1e-9)


def test_self_consumption_gives_back_from_five_in_the_afternoon_to_three_at_night_by_the_sun(
    make_site: MakeSite,
) -> None:
    site = make_site("Honolulu", Battery(10.0, "Self Consumption", 0.0))
    afternoon = solar_midnight(solar_day(YEAR_2024, site.place.longitude), site.place.longitude) + 17 * 3600
    returned = [site.discharge_kwh(afternoon + 3600 * h) - site.discharge_kwh(afternoon) for h in range(-5, 12)]
    held = returned[15]
    assert held > 5
    assert returned[:6] == [0.0] * 6
    assert returned[10] == pytest.approx(held / 2, abs=1e-9)
    assert returned[14] == pytest.approx(held * (3 * 0.9**2 - 2 * 0.9**3), abs=1e-9)
    assert returned[16] == held


def test_threads_that_ask_for_new_sums_at_once_get_the_same_as_one_alone() -> None:
    def values(first: int, last: int) -> Iterator[float]:
        return (float(day % 7) for day in range(first, last))

    days = range(FIRST_DAY, FIRST_DAY + 4000, 500)
    expected = [sum(values(FIRST_DAY, day)) for day in days]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for _ in range(20):
                sums, together = DaySums(values), Barrier(8)

                def ask(_: int, sums: DaySums = sums, together: Barrier = together) -> list[float]:
                    together.wait(timeout=30)
                    return [sums.before(day) for day in days]

                assert list(pool.map(ask, range(8))) == [expected] * 8
    finally:
        sys.setswitchinterval(interval)


def test_a_small_battery_is_filled_and_a_large_one_takes_four_fifths_of_the_charging_stretch(
    make_site: MakeSite,
) -> None:
    noon = datetime(2024, 6, 12, 22, tzinfo=UTC).timestamp()
    day = noon - 86_400, noon
    small = make_site("Phoenix", Battery(4.0, "Self Consumption", 0.0))
    large = make_site("Phoenix", Battery(400.0, "Self Consumption", 0.0))
    assert soc(small, noon) == pytest.approx(100.0)
    sun_kwh = large.pv_kwh(day[1]) - large.pv_kwh(day[0])
    taken_kwh = large.charge_kwh(day[1]) - large.charge_kwh(day[0])
    # The stretch from 10 to 75 percent of a clear day holds about 65 percent of its energy.
    assert taken_kwh / sun_kwh == pytest.approx(0.8 * 0.65, abs=0.08)
    assert 0 < soc(large, noon) < 20


def test_the_polar_night_leaves_the_battery_at_the_floor(make_site: MakeSite) -> None:
    site = make_site("Tromsø", Battery(10.0, "Self Consumption", 15.0))
    start, end = (datetime(2024, 12, 3, tzinfo=UTC), datetime(2025, 1, 8, tzinfo=UTC))
    hours = range(int(start.timestamp()), int(end.timestamp()), 3600)
    assert {site.soc_percent(t) for t in hours} == {15.0}
    assert site.charge_kwh(hours[0]) == site.charge_kwh(hours[-1])


def test_the_polar_day_charges_every_day(make_site: MakeSite) -> None:
    site = make_site("Tromsø", Battery(10.0, "Self Consumption", 15.0))
    for day in range(1, 30):
        t = datetime(2024, 6, day, 2, tzinfo=UTC).timestamp()
        assert site.charge_kwh(t + 86_400) > site.charge_kwh(t) + 1


@pytest.mark.parametrize("name", CHANGING_ZONES)
def test_savings_fills_and_empties_the_battery_on_both_nights_of_a_clock_change(
    make_site: MakeSite, clock_changes: ClockChanges, midnight: Midnight, name: str
) -> None:
    site = make_site(name, Battery(9.5, "Savings", 5.0))
    zone = ZoneInfo(site.place.timezone)
    full = 9.5 * 0.95 / ONE_WAY
    changes = clock_changes(zone, 2024)
    assert len(changes) == 2
    for day in changes:
        start, end = midnight(zone, day), midnight(zone, day + timedelta(days=1))
        steps = range(int(start), int(end), 300)
        charge = fsum(site.charge_kwh(t + 300) - site.charge_kwh(t) for t in steps)
        discharge = fsum(site.discharge_kwh(t + 300) - site.discharge_kwh(t) for t in steps)
        assert charge == pytest.approx(full, abs=1e-9)
        assert discharge == pytest.approx(0.9 * full, abs=1e-9)
        assert soc(site, start) == soc(site, end) == 5.0
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).timestamp()
        assert soc(site, noon) == pytest.approx(100.0)
        assert len(steps) in (288 - 12, 288 + 12, 288 - 6, 288 + 6)


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Berlin", date(2024, 3, 31), 3.0),
        ("Berlin", date(2024, 6, 1), 4.0),
        ("Berlin", date(2024, 10, 27), 5.0),
        ("Lord Howe", date(2024, 4, 7), 4.5),
        ("Lord Howe", date(2024, 10, 6), 3.5),
        ("Phoenix", date(2024, 3, 10), 4.0),
        ("Delhi", date(2024, 3, 31), 4.0),
    ],
)
def test_savings_charges_from_one_to_five_by_the_local_clock_however_long_that_is(
    make_site: MakeSite, name: str, day: date, hours: float
) -> None:
    site = make_site(name, Battery(9.5, "Savings"))
    zone = ZoneInfo(site.place.timezone)
    one, five, five_pm, nine_pm = (
        datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp() for hour in (1, 5, 17, 21)
    )
    assert five - one == hours * 3600
    assert site.charge_kwh(one) == site.charge_kwh(one - 1800)
    assert site.charge_kwh(one + 60) > site.charge_kwh(one)
    assert site.charge_kwh(five) > site.charge_kwh(five - 60)
    assert site.charge_kwh(five) == site.charge_kwh(nine_pm)
    assert site.discharge_kwh(five_pm) == site.discharge_kwh(five)
    assert soc(site, (one + five) / 2) == pytest.approx(55.0)
    assert soc(site, (five_pm + nine_pm) / 2) == pytest.approx(55.0)


def test_savings_charges_on_a_day_that_begins_at_one_because_midnight_is_skipped(
    make_site: MakeSite, midnight: Midnight
) -> None:
    for name, day in (("Santiago", date(2024, 9, 8)), ("Cairo", date(2024, 4, 26))):
        site = make_site(name, Battery(9.5, "Savings"))
        zone = ZoneInfo(site.place.timezone)
        start = midnight(zone, day)
        assert datetime.fromtimestamp(start, zone).hour == 1
        assert datetime.fromtimestamp(start - 1, zone).date() == day - timedelta(days=1)
        assert soc(site, start) == 10.0
        assert site.charge_kwh(start + 300) > site.charge_kwh(start) == site.charge_kwh(start - 3600)
        assert soc(site, start + 4 * 3600) == pytest.approx(100.0)


def test_backup_stays_full_and_nothing_flows(make_site: MakeSite) -> None:
    site = make_site("Delhi", Battery(20.0, "Backup", 30.0))
    for day in range(0, 4000, 111):
        t = site.operational_since.timestamp() + 86_400.5 * day
        assert soc(site, t) == 100.0
        assert site.charge_kwh(t) == site.discharge_kwh(t) == 0


def test_a_battery_that_starts_at_noon_accounts_for_what_it_held_then(make_site: MakeSite) -> None:
    started = datetime(2021, 6, 5, 12, tzinfo=UTC)
    site = make_site("Berlin", Battery(10.0, "Self Consumption"), since=started)
    start, later = started.timestamp(), started.timestamp() + 30.3 * 86_400
    assert soc(site, start) > 10
    change = (soc(site, later) - soc(site, start)) / 100 * 10.0
    flows = site.charge_kwh(later) * ONE_WAY - site.discharge_kwh(later) / ONE_WAY
    assert flows == pytest.approx(change, abs=1e-9)


@given(
    start=st.integers(1_430_000_000, 1_780_000_000),
    steps=st.lists(st.integers(1, 86_400), min_size=1, max_size=12),
    mode=st.sampled_from(["Self Consumption", "Savings"]),
    name=st.sampled_from([place.name for place in PLACES[:8]]),
    capacity=st.floats(1, 50),
)
def test_flows_never_fall_and_the_level_keeps_within_its_bounds(
    make_site: MakeSite, start: int, steps: list[int], mode: str, name: str, capacity: float
) -> None:
    site = make_site(name, Battery(capacity, mode, 10.0))
    t, charge, discharge = start, site.charge_kwh(start), site.discharge_kwh(start)
    for step in steps:
        t += step
        assert site.charge_kwh(t) >= charge
        assert site.discharge_kwh(t) >= discharge
        assert 10.0 <= soc(site, t) <= 100.0
        charge, discharge = site.charge_kwh(t), site.discharge_kwh(t)


@pytest.mark.parametrize(
    ("capacity", "mode", "floor"),
    [(0, "Backup", 10), (-5, "Savings", 10), (10, "Turbo", 10), (10, "Backup", 100), (10, "Backup", -1)],
)
def test_an_impossible_battery_is_refused(capacity: float, mode: str, floor: float) -> None:
    with pytest.raises(ValueError, match="battery"):
        Battery(capacity, mode, floor)
