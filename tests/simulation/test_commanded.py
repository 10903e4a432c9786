"""Batteries that obey commands: energy, limits, the return to their cycle, and a past that never changes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from math import fsum, sqrt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation import PLACES, Battery, BatteryCommand, CommandMode, Site
from simulation.commanded import CACHED_PHASES, DAY
from simulation.virtual import StorageUnit

Make = Callable[..., Site | StorageUnit]

ONE_WAY = sqrt(0.9)
MODES = ("Self Consumption", "Savings", "Backup")
JUNE = datetime(2025, 6, 10, tzinfo=UTC).timestamp()
NOON = JUNE + 11 * 3600
QUARTER = 900


class Counters:
    """A battery of either kind: its counters in kWh, its charge in percent, and what surrounds it."""

    def __init__(self, battery: Site | StorageUnit) -> None:
        self.battery = battery
        self.is_site = isinstance(battery, Site)
        if isinstance(battery, Site):
            assert battery.battery is not None
            self.capacity_kwh, self.floor_percent = battery.battery.capacity_kwh, battery.battery.floor_percent
            self.rated_kw = battery.battery.rated_kw
        else:
            self.capacity_kwh, self.floor_percent = battery.nameplate_kwh, battery.floor_percent
            self.rated_kw = battery.rated_kw

    def series(self, instants: Sequence[float]) -> list[tuple[float, float]]:
        if isinstance(self.battery, StorageUnit):
            return [(flows.charge_kwh, flows.discharge_kwh) for flows in self.battery.series_kwh(instants)]
        readings = [(self.battery.charge_kwh(t), self.battery.discharge_kwh(t)) for t in instants]
        return [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(readings)]

    def energy(self, start: float, end: float) -> tuple[float, float]:
        (flows,) = self.series((start, end))
        return flows

    def soc(self, t: float) -> float:
        percent = self.battery.soc_percent(t)
        assert percent is not None
        return percent


def site(mode: str, capacity_kwh: float = 10.0, floor_percent: float = 10.0, place: int = 0) -> Site:
    since = datetime(2024, 1, 1, tzinfo=UTC)
    return Site(0, "site", PLACES[place], 8.0, Battery(capacity_kwh, mode, floor_percent), since, 1, 24.0)


def unit(mode: str, capacity_kwh: float = 10.0, floor_percent: float = 10.0) -> StorageUnit:
    return StorageUnit("unit", capacity_kwh, mode, 52.5, 13.4, ZoneInfo("Europe/Berlin"), floor_percent)


BOTH = pytest.mark.parametrize("make", [site, unit])
FIELD = st.builds(
    lambda make, *members: make(*members),
    st.sampled_from([site, unit]),
    st.sampled_from(MODES),
    st.floats(1, 50),
    st.sampled_from([0.0, 10.0, 35.0]),
)


@st.composite
def plans(draw: st.DrawFn) -> tuple[BatteryCommand, ...]:
    """Commands of two days with gaps and overlaps."""
    commands = []
    for _ in range(draw(st.integers(1, 6))):
        start = JUNE + draw(st.floats(0, 2 * DAY))
        mode = draw(st.sampled_from(list(CommandMode)))
        kw = draw(st.none() | st.floats(0, 20))
        signed = 0.0 if mode is CommandMode.IDLE else kw and (-kw if mode.charges else kw)
        limit = draw(st.none() | st.integers(10, 100))
        commands.append(BatteryCommand(start, start + draw(st.floats(0, 30 * 3600)), signed, mode, limit))
    return tuple(commands)


def discharge(start: float, minutes: float, kw: float | None = 2.0, limit: float | None = None) -> BatteryCommand:
    return BatteryCommand(start, start + 60 * minutes, kw, CommandMode.DISCHARGE_TO_LOAD_GRID, limit)


def charge(start: float, minutes: float, kw: float | None = -2.0, limit: float | None = None) -> BatteryCommand:
    return BatteryCommand(start, start + 60 * minutes, kw, CommandMode.CHARGE_FROM_PV_GRID, limit)


@BOTH
def test_a_battery_discharges_with_the_power_of_the_command_for_its_time(make: Make) -> None:
    commanded = Counters(make("Backup").with_commands((discharge(NOON + 7.5, 15, 2.0),)))
    assert commanded.energy(NOON + 7.5, NOON + 907.5) == pytest.approx((0.0, 0.5), abs=1e-9)
    assert commanded.energy(NOON + 300, NOON + 330) == pytest.approx((0.0, 2.0 / 120), abs=1e-9)
    assert commanded.soc(NOON + 907.5) == pytest.approx(100 - 10 * 0.5 / ONE_WAY)


@BOTH
def test_a_battery_charges_with_the_power_of_the_command_less_its_losses(make: Make) -> None:
    night = JUNE + 3 * 3600
    commanded = Counters(make("Self Consumption").with_commands((charge(night, 60, -3.0),)))
    before = commanded.soc(night)
    assert commanded.energy(night, night + 3600) == pytest.approx((3.0, 0.0), abs=1e-9)
    assert commanded.soc(night + 3600) - before == pytest.approx(10 * 3.0 * ONE_WAY)


@BOTH
@pytest.mark.parametrize("kw", [None, 50.0])
def test_no_command_gets_more_than_the_rated_power(make: Make, kw: float | None) -> None:
    commanded = Counters(make("Backup").with_commands((discharge(NOON, 15, kw),)))
    assert commanded.rated_kw == 5.0
    assert commanded.energy(NOON, NOON + QUARTER) == pytest.approx((0.0, 1.25), abs=1e-9)


@BOTH
@pytest.mark.parametrize(
    ("command", "percent"),
    [
        (discharge(NOON, 300, None), 20.0),
        (discharge(NOON, 300, None, limit=60), 60.0),
        (discharge(NOON, 300, None, limit=5), 20.0),
    ],
)
def test_a_discharge_ends_at_its_limit_or_at_the_floor(make: Make, command: BatteryCommand, percent: float) -> None:
    commanded = Counters(make("Backup", floor_percent=20.0).with_commands((command,)))
    assert commanded.soc(NOON + 18_000) == pytest.approx(percent)
    _, energy_kwh = commanded.energy(NOON, NOON + 18_000)
    assert energy_kwh == pytest.approx((100 - percent) / 10 * ONE_WAY)
    reached = NOON + 3600 * energy_kwh / 5.0
    assert commanded.soc(reached - 1) > percent
    assert commanded.energy(reached + 1, NOON + 18_000) == (0.0, 0.0)


@BOTH
@pytest.mark.parametrize(("limit", "percent"), [(None, 100.0), (70, 70.0), (5, 10.0)])
def test_a_charge_ends_at_its_limit_or_when_the_battery_is_full(
    make: Make, limit: float | None, percent: float
) -> None:
    border = JUNE + 2.5 * 3600  # After 03:00 solar time, when the battery is at its floor.
    commanded = Counters(make("Self Consumption").with_commands((charge(border, 240, None, limit),)))
    assert commanded.soc(border) == 10.0
    assert commanded.soc(border + 240 * 60) == pytest.approx(percent)
    assert commanded.energy(border, border + 240 * 60)[0] == pytest.approx((percent - 10) / 10 / ONE_WAY)


@BOTH
def test_an_idle_battery_rests_whatever_its_cycle_would_do(make: Make) -> None:
    idle = BatteryCommand(JUNE, JUNE + DAY, 0.0, CommandMode.IDLE)
    commanded = Counters(make("Self Consumption").with_commands((idle,)))
    assert Counters(make("Self Consumption")).energy(JUNE, JUNE + DAY)[0] > 1
    assert commanded.energy(JUNE, JUNE + DAY) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("mode", "hour", "flow"),
    [
        (CommandMode.CHARGE_FROM_PV, 9, "pv"),
        (CommandMode.CHARGE_FROM_PV, 0, "nothing"),
        (CommandMode.CHARGE_FROM_NET_PV, 9, "surplus"),
        (CommandMode.DISCHARGE_TO_LOAD, 9, "load"),
        (CommandMode.DISCHARGE_TO_NET_LOAD, 18, "net load"),
        (CommandMode.DISCHARGE_TO_NET_LOAD, 9, "nothing"),
    ],
)
def test_the_mode_limits_the_power_to_what_panels_give_or_loads_take(mode: CommandMode, hour: int, flow: str) -> None:
    start = JUNE + 3600 * hour
    idle = BatteryCommand(start - 900, start, 0.0, CommandMode.IDLE)
    command = BatteryCommand(start, start + 1800, None, mode)
    plain = site("Backup" if not mode.charges else "Self Consumption", 200.0, place=0)
    commanded = plain.with_commands((idle, command))
    for row in range(6):
        first, last = start + 300 * row, start + 300 * (row + 1)
        pv = plain.pv_kwh(last) - plain.pv_kwh(first)
        load = plain.load_kwh(last) - plain.load_kwh(first)
        expected = {
            "pv": pv,
            "surplus": max(0.0, pv - load),
            "load": load,
            "net load": max(0.0, load - pv),
            "nothing": 0.0,
        }[flow]
        assert flow == "nothing" or expected > 0.01
        energies = Counters(commanded).energy(first, last)
        assert energies[0 if mode.charges else 1] == pytest.approx(expected, abs=1e-9)
        assert energies[1 if mode.charges else 0] == 0.0


def test_the_mode_limits_a_virtual_battery_to_its_own_panels_and_loads() -> None:
    def energy(mode: CommandMode, hour: float) -> float:
        start = JUNE + 3600 * hour
        idle = BatteryCommand(start - 3600, start, 0.0, CommandMode.IDLE)
        battery = unit("Backup" if not mode.charges else "Self Consumption", 50.0)
        commanded = Counters(battery.with_commands((idle, BatteryCommand(start, start + 1800, None, mode))))
        return sum(commanded.energy(start, start + 1800))

    night, noon = 0.5, 11
    assert energy(CommandMode.CHARGE_FROM_PV, night) == 0.0
    assert 0 < energy(CommandMode.CHARGE_FROM_NET_PV, noon) < energy(CommandMode.CHARGE_FROM_PV, noon) <= 12.5
    assert energy(CommandMode.CHARGE_FROM_PV_GRID, night) == pytest.approx(12.5)
    assert energy(CommandMode.DISCHARGE_TO_NET_LOAD, noon) == 0.0
    assert 0 < energy(CommandMode.DISCHARGE_TO_LOAD, night) == energy(CommandMode.DISCHARGE_TO_NET_LOAD, night) < 12.5


@settings(max_examples=60, deadline=None)
@given(battery=FIELD, commands=plans(), instants=st.lists(st.floats(0, 5 * DAY), min_size=2, max_size=12).map(sorted))
def test_energy_is_conserved_and_no_limit_broken_whatever_the_commands(
    battery: Site | StorageUnit, commands: tuple[BatteryCommand, ...], instants: list[float]
) -> None:
    commanded = Counters(battery.with_commands(commands))
    times = [JUNE + t for t in instants]
    for (start, end), (charged, discharged) in zip(pairwise(times), commanded.series(times), strict=True):
        assert min(charged, discharged) >= 0
        stored_kwh = (commanded.soc(end) - commanded.soc(start)) / 100 * commanded.capacity_kwh
        assert charged * ONE_WAY - discharged / ONE_WAY == pytest.approx(stored_kwh, abs=1e-7)
        assert commanded.floor_percent <= commanded.soc(end) <= 100
    parts, whole = commanded.series(times), commanded.energy(times[0], times[-1])
    assert (fsum(part[0] for part in parts), fsum(part[1] for part in parts)) == pytest.approx(whole, abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(battery=FIELD, commands=plans(), after=st.floats(0, 10 * DAY))
def test_after_the_last_command_the_battery_is_back_in_its_cycle_within_two_days(
    battery: Site | StorageUnit, commands: tuple[BatteryCommand, ...], after: float
) -> None:
    plain, commanded = Counters(battery), Counters(battery.with_commands(commands))
    at = max(command.end for command in commands) + 2 * DAY + after
    assert commanded.soc(at) == pytest.approx(plain.soc(at), abs=1e-9)
    assert commanded.energy(at, at + DAY) == pytest.approx(plain.energy(at, at + DAY), abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    battery=FIELD,
    commands=plans(),
    present=st.floats(0, 3 * DAY),
    ago=st.lists(st.floats(0, 2 * DAY), min_size=1, max_size=8),
    later=plans(),
)
def test_the_past_never_changes_when_a_command_ends_early_or_another_is_given(
    battery: Site | StorageUnit,
    commands: tuple[BatteryCommand, ...],
    present: float,
    ago: list[float],
    later: tuple[BatteryCommand, ...],
) -> None:
    now = JUNE + present
    ended = tuple(
        replace(command, end=max(command.start, min(command.end, now))) for command in commands if command.start < now
    )
    given_now = tuple(replace(command, start=now, end=max(now, now + command.end - command.start)) for command in later)
    before, after = (Counters(battery.with_commands(plan)) for plan in (commands, ended + given_now))
    past = [*sorted(now - seconds for seconds in ago), now]
    for t in past:
        assert before.soc(t) == after.soc(t)
        assert before.energy(JUNE - DAY, t) == after.energy(JUNE - DAY, t)


@settings(max_examples=20, deadline=None)
@given(battery=FIELD, commands=plans(), instants=st.lists(st.floats(0, 5 * DAY), min_size=2, max_size=8))
def test_the_numbers_do_not_depend_on_what_was_asked_before(
    battery: Site | StorageUnit, commands: tuple[BatteryCommand, ...], instants: list[float]
) -> None:
    def answers(ordered: list[float]) -> list[tuple[float, ...]]:
        commanded = Counters(battery.with_commands(commands))
        return [(*commanded.energy(JUNE, JUNE + t), commanded.soc(JUNE + t)) for t in ordered]

    assert answers(instants) == answers(instants[::-1])[::-1]


@BOTH
def test_before_the_first_command_all_is_as_without(make: Make) -> None:
    plain, commanded = Counters(make("Savings")), Counters(make("Savings").with_commands((charge(NOON, 60),)))
    times = [NOON - QUARTER * number for number in range(200)][::-1]
    assert [commanded.soc(t) for t in times] == pytest.approx([plain.soc(t) for t in times], abs=1e-9)
    for energies, same in zip(commanded.series(times), plain.series(times), strict=True):
        assert energies == pytest.approx(same, abs=1e-9)


@BOTH
def test_a_later_command_displaces_an_earlier_one_for_good(make: Make) -> None:
    outer, inner = discharge(NOON, 60, 1.0), discharge(NOON + QUARTER, 15, 3.0)
    commanded = Counters(make("Backup").with_commands((inner, outer)))
    quarters = [energies[1] for energies in commanded.series([NOON + QUARTER * number for number in range(4)])]
    assert quarters == pytest.approx([0.25, 0.75, 0.0], abs=1e-9)


@BOTH
def test_a_backup_battery_fills_again_after_a_discharge(make: Make) -> None:
    commanded = Counters(make("Backup").with_commands((discharge(NOON, 15),)))
    ended = NOON + QUARTER
    levels = [commanded.soc(ended + 600 * number) for number in range(30)]
    assert levels == sorted(levels)
    assert levels[0] == pytest.approx(94.73, abs=0.01)
    assert levels[-1] == 100.0


def test_an_emptied_self_consumption_battery_takes_nothing_from_the_grid_in_the_evening() -> None:
    evening = JUNE + 16.2 * 3600  # 17:06 by the sun: the cycle has begun to give back.
    commanded = Counters(site("Self Consumption").with_commands((discharge(evening - 7200, 120, None),)))
    assert commanded.soc(evening) == pytest.approx(10.0)
    assert commanded.energy(evening, evening + 8 * 3600) == pytest.approx((0.0, 0.0), abs=1e-8)


@BOTH
def test_more_commands_than_courses_are_cached_end_as_they_should(make: Make) -> None:
    commands = tuple(discharge(JUNE + 1800 * number, 15, 1.0) for number in range(10 * CACHED_PHASES))
    at = commands[-1].end + 3 * DAY
    plain, commanded = Counters(make("Self Consumption")), Counters(make("Self Consumption").with_commands(commands))
    assert commanded.soc(at) == pytest.approx(plain.soc(at))
    instants = [JUNE + 450 * number for number in range(400)]
    backwards = [commanded.soc(t) for t in reversed(instants)]
    assert backwards == [commanded.soc(t) for t in instants][::-1]


@BOTH
def test_a_command_may_last_for_a_year(make: Make) -> None:
    lasting = BatteryCommand(JUNE, JUNE + 400 * DAY, None, CommandMode.CHARGE_FROM_NET_PV)
    assert Counters(make("Self Consumption").with_commands((lasting,))).soc(JUNE + 10 * DAY) == 100.0


@pytest.mark.parametrize(
    ("kw", "mode", "end", "limit"),
    [
        (1.0, "Charge_From_PV", 1.0, None),
        (-1.0, "Discharge_To_Load", 1.0, None),
        (1.0, "Idle", 1.0, None),
        (None, "Turbo", 1.0, None),
        (None, "Charge_From_PV", -1.0, None),
        (None, "Charge_From_PV", float("inf"), None),
        (float("nan"), "Charge_From_PV", 1.0, None),
        (None, "Charge_From_PV", 1.0, 101),
    ],
)
def test_an_impossible_command_is_refused(kw: float | None, mode: str, end: float, limit: float | None) -> None:
    with pytest.raises(ValueError, match=r"command|mode|CommandMode"):
        BatteryCommand(0.0, end, kw, mode, limit)


def test_a_site_without_a_battery_takes_no_commands() -> None:
    plain = replace(site("Backup"), battery=None)
    commanded = plain.with_commands((discharge(NOON, 15),))
    assert commanded.discharge_kwh(NOON + QUARTER) == 0.0
    assert commanded.soc_percent(NOON) is None
