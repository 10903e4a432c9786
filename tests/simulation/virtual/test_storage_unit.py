"""Virtual batteries: flows and state of charge in each mode, anywhere."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import fsum, sqrt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation import BatteryCommand, CommandMode
from simulation.sun import solar_day, solar_midnight
from simulation.virtual import StorageUnit
from simulation.virtual.device_day import device_day
from simulation.virtual.storage_unit import GREATEST_FLOOR_PERCENT
from simulation.virtual.year import climate_total, year_of

ONE_WAY = sqrt(0.9)
BERLIN = ZoneInfo("Europe/Berlin")
FLOWING = ("Self Consumption", "Savings")
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2015, 2031))
INSTANTS = st.floats(EARLIEST, LATEST)
UNITS = st.builds(
    StorageUnit,
    seed=st.integers(0, 2**32) | st.text(max_size=20),
    nameplate_kwh=st.floats(0.1, 1000),
    mode=st.sampled_from([*FLOWING, "Backup"]),
    latitude=st.floats(-90, 90) | st.sampled_from([-90.0, 0.0, 90.0]),
    longitude=st.floats(-180, 180) | st.sampled_from([-180.0, 180.0]),
    zone=st.sampled_from(
        [
            ZoneInfo(name)
            for name in ("UTC", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia", "Asia/Kathmandu")
        ]
    ),
    floor_percent=st.floats(0, 100) | st.sampled_from([0.0, 100.0]),
)


def berlin(mode: str, nameplate_kwh: float = 10.0, floor_percent: float = 10.0, seed: int | str = 1) -> StorageUnit:
    return StorageUnit(seed, nameplate_kwh, mode, 52.5, 13.4, BERLIN, floor_percent)


def stored_kwh(unit: StorageUnit, start: float, end: float) -> float:
    return (unit.soc_percent(end) - unit.soc_percent(start)) / 100 * unit.nameplate_kwh


@given(unit=UNITS, instants=st.lists(INSTANTS, min_size=2, max_size=10).map(sorted))
def test_energy_is_conserved_and_adds_up_whatever_the_battery(unit: StorageUnit, instants: list[float]) -> None:
    parts = [unit.flows_kwh(start, end) for start, end in pairwise(instants)]
    assert unit.series_kwh(instants) == parts
    for (start, end), flows in zip(pairwise(instants), parts, strict=True):
        assert min(flows) >= 0
        stored = flows.charge_kwh * ONE_WAY - flows.discharge_kwh / ONE_WAY
        assert stored == pytest.approx(stored_kwh(unit, start, end), abs=1e-9 * max(1, unit.nameplate_kwh))
    for part, whole in zip(zip(*parts, strict=True), unit.flows_kwh(instants[0], instants[-1]), strict=True):
        assert fsum(part) == pytest.approx(whole, abs=1e-9 * max(1, unit.nameplate_kwh))


@given(unit=UNITS, at=INSTANTS)
def test_the_level_stays_between_the_floor_and_full_and_energy_flows_one_way_at_a_time(
    unit: StorageUnit, at: float
) -> None:
    assert unit.floor_percent <= unit.soc_percent(at) <= 100
    power = unit.power_kw(at)
    assert min(power) == 0
    assert max(power) <= unit.nameplate_kwh


@pytest.mark.parametrize("mode", FLOWING)
@pytest.mark.parametrize("posted", [0, 10, 50, 80, 80.1, 99, 100])
def test_a_battery_is_of_use_whatever_charge_was_posted_as_its_floor(mode: str, posted: float) -> None:
    unit = berlin(mode, floor_percent=posted)
    june = datetime(2024, 6, 10, tzinfo=UTC).timestamp()
    levels = [unit.soc_percent(june + 600 * row) for row in range(144 * 5)]
    assert min(levels) == min(posted, GREATEST_FLOOR_PERCENT)
    assert 90 < max(levels) <= 100
    assert unit.flows_kwh(june, june + 5 * 86_400).discharge_kwh > 0.8 * 5 * 10 * (1 - min(posted, 80) / 100) * 0.8


def test_self_consumption_charges_by_day_and_gives_back_from_evening_to_night() -> None:
    unit = berlin("Self Consumption")
    midnight = solar_midnight(solar_day(datetime(2024, 6, 10, 12, tzinfo=UTC).timestamp(), 13.4), 13.4)
    hours = unit.series_kwh(midnight + 3600 * hour for hour in range(3, 28))
    charging = [hour for hour, flows in enumerate(hours, 3) if flows.charge_kwh > 0]
    returning = [hour for hour, flows in enumerate(hours, 3) if flows.discharge_kwh > 0]
    assert charging == list(range(charging[0], charging[-1] + 1))
    assert 6 <= charging[0] <= 9
    assert 13 <= charging[-1] <= 16
    assert returning == list(range(17, 27))
    assert unit.soc_percent(midnight + 3 * 3600) == unit.soc_percent(midnight + 27 * 3600) == 10.0


def test_sunny_days_fill_the_battery_and_dark_ones_do_not() -> None:
    unit = berlin("Self Consumption")
    january, june = (datetime(2024, month, 1, tzinfo=UTC).timestamp() for month in (1, 6))
    winter, summer = (
        [flows.charge_kwh for flows in unit.series_kwh(start + 86_400 * day for day in range(31))]
        for start in (january, june)
    )
    full_kwh = 10.0 * 0.9 / ONE_WAY
    assert fsum(winter) < 0.75 * fsum(summer)
    assert min(winter) < 0.5 * full_kwh
    assert 0.95 * full_kwh < max(summer) <= full_kwh


def test_the_polar_night_leaves_the_battery_at_its_floor() -> None:
    for latitude in (75.0, 90.0):
        unit = StorageUnit(1, 10.0, "Self Consumption", latitude, 20.0, ZoneInfo("Arctic/Longyearbyen"), 15.0)
        start, end = (datetime(2024, 12, day, tzinfo=UTC).timestamp() for day in (1, 30))
        assert unit.flows_kwh(start, end) == (0, 0)
        assert {unit.soc_percent(start + 3600 * hour) for hour in range(24 * 29)} == {15.0}


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "America/Santiago", "Europe/Berlin", "Atlantic/Azores"])
def test_savings_fills_and_empties_the_battery_on_the_days_of_a_clock_change(
    clock_changes: Callable[[ZoneInfo, int], list[date]], midnight: Callable[[ZoneInfo, date], float], zone: str
) -> None:
    clock = ZoneInfo(zone)
    unit = StorageUnit("savings", 9.5, "Savings", 55.8, -4.3, clock, 5.0)
    changes = clock_changes(clock, 2024)
    assert len(changes) == 2
    for day in changes:
        start, end = midnight(clock, day), midnight(clock, day + timedelta(days=1))
        quarters = unit.series_kwh(range(int(start), int(end) + 1, 900))
        assert len(quarters) in (92, 94, 98, 100)
        assert fsum(flows.charge_kwh for flows in quarters) == pytest.approx(9.5 * 0.95 / ONE_WAY, abs=1e-9)
        assert fsum(flows.discharge_kwh for flows in quarters) == pytest.approx(9.5 * 0.95 * ONE_WAY, abs=1e-9)
        assert unit.soc_percent(start) == unit.soc_percent(end) == 5.0
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=clock).timestamp()
        assert unit.soc_percent(noon) == pytest.approx(100.0)


@pytest.mark.parametrize("floor_percent", [0.0, 30.0, 100.0])
def test_backup_stays_full_and_nothing_flows(floor_percent: float) -> None:
    unit = berlin("Backup", floor_percent=floor_percent)
    for day in range(0, 4000, 111):
        assert unit.soc_percent(EARLIEST + 86_400.5 * day) == 100.0
    assert unit.flows_kwh(EARLIEST, LATEST) == (0, 0)


@settings(max_examples=25)
@given(instants=st.lists(INSTANTS, min_size=2, max_size=6), seeds=st.lists(st.text(max_size=5), min_size=1, max_size=3))
def test_the_numbers_do_not_depend_on_what_was_asked_before(instants: list[float], seeds: list[str]) -> None:
    questions = [(seed, t) for seed in seeds for t in instants]

    def answers(ordered: list[tuple[str, float]]) -> list[tuple[float, ...]]:
        for cached in (year_of, climate_total, device_day):
            cached.cache_clear()
        units = [(berlin("Self Consumption", seed=seed), t) for seed, t in ordered]
        return [(*unit.flows_kwh(EARLIEST, t), unit.soc_percent(t)) for unit, t in units]

    assert answers(questions) == answers(questions[::-1])[::-1]


def test_the_panels_behind_a_battery_follow_from_seed_and_nameplate() -> None:
    january = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
    charges = {
        round(berlin("Self Consumption", seed=seed).flows_kwh(january, january + 31 * 86_400).charge_kwh, 6)
        for seed in range(30)
    }
    assert len(charges) == 3


@pytest.mark.parametrize(
    ("nameplate_kwh", "mode", "floor_percent"),
    [
        (0.0, "Backup", 10.0),
        (-5.0, "Savings", 10.0),
        (float("inf"), "Savings", 10.0),
        (float("nan"), "Savings", 10.0),
        (10.0, "Turbo", 10.0),
        (10.0, "Backup", 100.5),
        (10.0, "Backup", -1.0),
        (10.0, "Backup", float("nan")),
    ],
)
def test_an_impossible_battery_is_refused(nameplate_kwh: float, mode: str, floor_percent: float) -> None:
    with pytest.raises(ValueError, match="battery"):
        berlin(mode, nameplate_kwh, floor_percent)


def test_the_power_of_a_command_shows_at_once_and_no_longer_than_it_lasts() -> None:
    noon = datetime(2025, 6, 10, 12, tzinfo=UTC).timestamp()
    command = BatteryCommand(noon + 0.25, noon + 900, 2.5, CommandMode.DISCHARGE_TO_LOAD_GRID)
    unit = berlin("Backup").with_commands((command,))
    assert unit.power_kw(noon) == (0, 0)
    for seconds in (0.25, 0.3, 1, 30, 61, 899):
        assert unit.power_kw(noon + seconds) == (0, pytest.approx(2.5)), seconds
    assert unit.power_kw(noon + 900).discharge_kw == 0
    assert unit.rated_kw == 5.0


def test_a_battery_without_its_commands_is_as_before() -> None:
    noon = datetime(2025, 6, 10, 12, tzinfo=UTC).timestamp()
    command = BatteryCommand(noon, noon + 900, 2.5, CommandMode.DISCHARGE_TO_LOAD_GRID)
    unit = berlin("Backup")
    assert unit.with_commands((command,)).soc_percent(noon + 900) < 100
    assert unit.with_commands((command,)).with_commands(()).soc_percent(noon + 900) == 100
    assert unit.soc_percent(noon + 900) == 100
