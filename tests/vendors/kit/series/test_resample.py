"""Rows and intervals: nothing is lost, made up or counted twice."""

from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from math import fsum
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendors.kit import (
    Level,
    Quality,
    Reporting,
    Row,
    Sample,
    rows_from_amounts,
    rows_from_counter,
    within,
    without_impossible,
)
from vendors.kit.series.resample import Interval, resample, together
from vendors.kit.series.windows import Window, day_start, interval_start, next_boundary

START = datetime(2026, 6, 17, tzinfo=UTC)
STEP = timedelta(minutes=5)
ENDLESS = START + timedelta(days=9)
BERLIN = ZoneInfo("Europe/Berlin")
ENERGIES = st.lists(st.floats(0, 10), min_size=1, max_size=120)


def rows_of(energies, step=STEP, start=START):
    return [Row(start + number * step, start + (number + 1) * step, (kwh,)) for number, kwh in enumerate(energies)]


def grid(step, count):
    return [START + number * step for number in range(count + 1)]


def sum_of(*rows, borders, nights=True):
    return list(together([intervals(one, borders, nights=nights) for one in rows], rows, UTC, nights=nights))


def intervals(rows, borders, known_until=ENDLESS, nights=True):
    return list(resample(rows, borders, UTC, known_until, nights=nights))


@given(ENERGIES, st.sampled_from([1, 4, 5, 7, 15, 60]))
def test_the_intervals_of_any_grid_hold_all_the_energy(energies, minutes):
    borders = grid(timedelta(minutes=minutes), 5 * len(energies) // minutes + 2)
    found = intervals(rows_of(energies), borders)
    assert fsum(one.kwh[0] for one in found) == pytest.approx(fsum(energies), abs=1e-9)


@given(ENERGIES)
def test_an_hour_is_the_sum_of_its_quarters(energies):
    rows = rows_of(energies)
    hours = intervals(rows, grid(timedelta(hours=1), 11))
    quarters = intervals(rows, grid(timedelta(minutes=15), 44))
    for hour in hours:
        parts = [one.kwh[0] for one in quarters if hour.start <= one.start < hour.end]
        assert hour.kwh[0] == pytest.approx(fsum(parts), abs=1e-9)


@given(st.lists(st.floats(0, 5), min_size=2, max_size=60), st.randoms())
def test_rows_that_come_twice_and_in_any_order_are_the_same_rows(energies, chance):
    samples = [Sample(START + (number + 1) * STEP, (kwh,)) for number, kwh in enumerate(energies)]
    stale = [Sample(sample.at, (99.0,)) for sample in samples[::3]]
    mixed = stale + samples
    late = samples[:]
    chance.shuffle(late)
    assert rows_from_amounts(mixed, STEP, at_end=True) == rows_from_amounts(samples, STEP, at_end=True)
    assert rows_from_amounts(late, STEP, at_end=True) == rows_from_amounts(samples, STEP, at_end=True)


@given(st.lists(st.floats(0, 2).map(lambda kwh: round(kwh, 1)), min_size=2, max_size=60))
def test_the_steps_of_a_counter_add_up_to_what_it_rose_by(rises):
    readings = [fsum(rises[: number + 1]) for number in range(len(rises))]
    samples = [Sample(START + number * STEP, (reading,)) for number, reading in enumerate(readings)]
    found = rows_from_counter(samples, STEP, 0.1)
    assert fsum(row.kwh[0] for row in found) == pytest.approx(readings[-1] - readings[0], abs=1e-9)
    assert all(row.kwh[0] >= 0 for row in found)


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=40))
def test_no_counter_however_it_jumps_makes_negative_energy(readings):
    samples = [Sample(START + number * STEP, (reading,)) for number, reading in enumerate(readings)]
    for row in rows_from_counter(samples, STEP, 0.1, most_kw=8.0):
        assert row.kwh is None or min(row.kwh) >= 0


def test_no_row_is_no_interval_and_a_zero_is_one():
    rows = rows_of([0.0, 0.0, 0.0])
    found = intervals(rows, grid(timedelta(minutes=15), 2))
    assert found == [Interval(START, START + 3 * STEP, (0.0,))]


def test_a_row_across_a_border_is_split_by_time_and_both_parts_say_so():
    row = Row(START + timedelta(minutes=10), START + timedelta(minutes=25), (3.0,))
    first, second = intervals([row], grid(timedelta(minutes=15), 2))
    assert (first.kwh, second.kwh) == ((pytest.approx(1.0),), (pytest.approx(2.0),))
    assert {first.quality, second.quality} == {Quality.DERIVED}


def test_a_hole_between_two_rows_is_partial_and_the_night_before_the_first_is_not():
    rows = rows_of([1.0] * 12)
    del rows[4:6]
    found = intervals(rows, grid(timedelta(hours=1), 2))
    assert [(one.kwh, one.quality) for one in found] == [((10.0,), Quality.PARTIAL)]
    late = rows_of([1.0] * 6, start=START + timedelta(minutes=30))
    assert [one.quality for one in intervals(late, grid(timedelta(hours=1), 1))] == [Quality.MEASURED]
    assert [one.quality for one in intervals(late, grid(timedelta(hours=1), 1), nights=False)] == [Quality.PARTIAL]


def test_what_the_vendor_cannot_know_yet_is_partial():
    rows = rows_of([1.0] * 24)
    found = intervals(rows, grid(timedelta(hours=1), 2), known_until=START + timedelta(minutes=119))
    assert [one.quality for one in found] == [Quality.MEASURED, Quality.PARTIAL]


def test_after_a_short_gap_what_came_is_spread_and_after_a_long_one_it_is_the_day_s_only():
    samples = [Sample(START + timedelta(hours=6, minutes=minute), (1.0,)) for minute in (5, 35, 155)]
    first, spread, lump = rows_from_amounts(samples, STEP, at_end=True, catches_up=True)
    assert (spread.end - spread.start, spread.is_lump) == (timedelta(minutes=30), False)
    assert spread.quality is Quality.DERIVED
    assert (lump.end - lump.start, lump.is_lump) == (timedelta(hours=2), True)
    rows = [first, spread, lump]
    hours = intervals(rows, grid(timedelta(hours=1), 24))
    # The lump lies in the hours 6 to 8; of the first one half an hour was measured, of the others nothing.
    assert [(one.start.hour, one.kwh, one.quality) for one in hours] == [(6, (2.0,), Quality.PARTIAL)]
    (day,) = intervals(rows, [START, START + timedelta(days=1)])
    assert (day.kwh, day.quality) == ((3.0,), Quality.DERIVED)


def test_a_row_beyond_all_rating_is_dropped_and_leaves_a_partial_sum():
    rows = rows_of([0.5, 1024.8, 0.5])
    (found,) = intervals(without_impossible(rows, most_kw=6.0), grid(timedelta(minutes=15), 1))
    assert (found.kwh, found.quality) == ((1.0,), Quality.PARTIAL)
    assert intervals(without_impossible(rows_of([99.0]), most_kw=6.0), grid(STEP, 1)) == []


def test_the_least_of_those_who_reported_counts():
    rows = [
        Row(START, START + STEP, (1.0,), reporting=Reporting(31, 31)),
        Row(START + STEP, START + 2 * STEP, (1.0,), reporting=Reporting(27, 31)),
    ]
    (found,) = intervals(rows, grid(timedelta(minutes=10), 1))
    assert found.reporting == Reporting(27, 31)
    assert found.quality is Quality.PARTIAL


def test_a_silent_device_makes_the_sum_of_all_partial_and_one_that_sleeps_does_not():
    hours = grid(timedelta(hours=1), 3)
    awake, asleep = rows_of([1.0] * 36), rows_of([2.0] * 12, start=START + timedelta(hours=1))
    summed = sum_of(awake, asleep, borders=hours)
    assert [one.kwh[0] for one in summed] == [12.0, 36.0, 12.0]
    assert {one.quality for one in summed} == {Quality.MEASURED}
    silent = sum_of(awake, [], borders=hours)
    assert {(one.quality, one.reporting) for one in silent} == {(Quality.PARTIAL, Reporting(1, 2))}


def test_charge_is_the_mean_over_time():
    rows = [
        Row(START, START + 2 * STEP, (0.0, 0.0), soc_percent=50.0),
        Row(START + 2 * STEP, START + 3 * STEP, (0.0, 0.0), soc_percent=80.0),
    ]
    (found,) = intervals(rows, grid(timedelta(minutes=15), 1))
    assert found.soc_percent == pytest.approx(60.0)


def test_a_row_of_another_date_or_after_now_is_not_within_today():
    now = START + timedelta(minutes=12)
    rows = rows_of([1.0] * 6, start=START - STEP)
    assert within(rows, START, now) == rows[1:4]
    assert within(rows, now, now) == []


NIGHTS = {
    f"{name} {day}": (ZoneInfo(name), day_start(day, ZoneInfo(name)))
    for name, day in (
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Australia/Lord_Howe", date(2026, 10, 4)),
        ("America/Santiago", date(2026, 9, 6)),
    )
}
"""Days on which clocks change: the zone, and the first instant."""

# Minutes until the next reading, and what flowed meanwhile; more than an hour is a gap.
READINGS = st.lists(
    st.tuples(st.sampled_from([5, 5, 5, 7, 11, 45, 61, 90, 200]), st.floats(0.2, 3)), min_size=2, max_size=150
)


def rows_of_readings(readings, start):
    """A counter's rows, which end with the day."""
    passed = accumulate((minutes for minutes, _ in readings), initial=3)
    risen = accumulate((kwh for _, kwh in readings), initial=0.0)
    samples = [Sample(start + timedelta(minutes=at), (kwh,)) for at, kwh in zip(passed, risen, strict=True)]
    return rows_from_counter([one for one in samples if one.at < start + timedelta(hours=23)], STEP, 0.1)


def rows_that_catch_up(readings, start):
    """Amounts of five minutes, of which one after a gap holds what came in it; some are not to be believed."""
    passed = accumulate((minutes // 5 * 5 for minutes, _ in readings), initial=5)
    samples = [Sample(start + timedelta(minutes=at), (kwh,)) for at, (_, kwh) in zip(passed, readings, strict=False)]
    rows = rows_from_amounts(
        [one for one in samples if one.at < start + timedelta(hours=23)], STEP, at_end=True, catches_up=True
    )
    return without_impossible(rows, most_kw=25.0)


def at_level(level, rows, zone, start):
    borders = list(Window(level, start, next_boundary(Level.DAY, start, zone), zone).boundaries())
    return list(resample(rows, borders, zone, ENDLESS + timedelta(days=365), nights=True))


def lies_within(row, level, zone):
    return row.end <= next_boundary(level, interval_start(level, row.start, zone), zone)


@pytest.mark.parametrize(("zone", "start"), NIGHTS.values(), ids=NIGHTS)
@pytest.mark.parametrize("rows_from", [rows_of_readings, rows_that_catch_up])
@settings(max_examples=25)
@given(readings=READINGS)
def test_quarters_hours_and_the_day_tell_the_same_energy_less_what_nobody_measured(readings, rows_from, zone, start):
    rows = rows_from(readings, start)
    for level in (Level.QUARTER, Level.HOUR, Level.DAY):
        found = at_level(level, rows, zone, start)
        known = [row for row in rows if row.kwh and (not row.is_lump or lies_within(row, level, zone))]
        assert fsum(one.kwh[0] for one in found) == pytest.approx(fsum(row.kwh[0] for row in known), abs=1e-9)
        touched = [row for row in rows if row not in known]
        for one in found:
            is_touched = any(row.start < one.end and row.end > one.start for row in touched)
            assert not is_touched or one.quality is Quality.PARTIAL


@pytest.mark.parametrize(("zone", "start"), NIGHTS.values(), ids=NIGHTS)
@settings(max_examples=25)
@given(readings=READINGS)
def test_an_hour_without_a_gap_is_its_quarters_on_every_clock(readings, zone, start):
    rows = rows_of_readings(readings, start)
    quarters = at_level(Level.QUARTER, rows, zone, start)
    for hour in at_level(Level.HOUR, rows, zone, start):
        if not any(row.is_lump and row.start >= hour.start and row.end <= hour.end for row in rows):
            parts = [one.kwh[0] for one in quarters if hour.start <= one.start < hour.end]
            assert hour.kwh[0] == pytest.approx(fsum(parts), abs=1e-9)


def test_a_device_that_is_silent_between_two_of_its_hours_makes_the_sum_partial():
    hours = grid(timedelta(hours=1), 4)
    whole = rows_of([1.0] * 48)
    with_gap = rows_of([2.0] * 12) + rows_of([2.0] * 12, start=START + timedelta(hours=3))
    summed = sum_of(whole, with_gap, borders=hours)
    assert [one.kwh[0] for one in summed] == [36.0, 12.0, 12.0, 36.0]
    silent = (Quality.PARTIAL, Reporting(1, 2))
    assert [(one.quality, one.reporting) for one in summed[1:3]] == [silent, silent]
    assert (summed[0].quality, summed[3].quality) == (Quality.MEASURED, Quality.MEASURED)
    # Wherever a page begins.
    assert sum_of(whole, with_gap, borders=hours[2:]) == summed[2:]


def test_of_devices_that_do_not_sleep_one_without_its_afternoon_is_missing():
    hours = grid(timedelta(hours=1), 4)
    summed = sum_of(rows_of([1.0] * 48), rows_of([1.0] * 24), borders=hours, nights=False)
    assert [one.kwh[0] for one in summed] == [24.0, 24.0, 12.0, 12.0]
    assert [one.quality for one in summed] == [Quality.MEASURED] * 2 + [Quality.PARTIAL] * 2
    assert {one.reporting for one in summed[2:]} == {Reporting(1, 2)}
