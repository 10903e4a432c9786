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
    return list(
        together([intervals(device_rows, borders, nights=nights) for device_rows in rows], rows, UTC, nights=nights)
    )


def intervals(rows, borders, known_until=ENDLESS, nights=True):
    return list(resample(rows, borders, UTC, known_until, nights=nights))


@given(ENERGIES, st.sampled_from([1, 4, 5, 7, 15, 60]))
def test_the_intervals_of_any_grid_hold_all_the_energy(energies, minutes):
    borders = grid(timedelta(minutes=minutes), 5 * len(energies) // minutes + 2)
    resampled = intervals(rows_of(energies), borders)
    assert fsum(interval.kwh[0] for interval in resampled) == pytest.approx(fsum(energies), abs=1e-9)


@given(ENERGIES)
def test_an_hour_is_the_sum_of_its_quarters(energies):
    rows = rows_of(energies)
    hours = intervals(rows, grid(timedelta(hours=1), 11))
    quarters = intervals(rows, grid(timedelta(minutes=15), 44))
    for hour in hours:
        parts = [interval.kwh[0] for interval in quarters if hour.start <= interval.start < hour.end]
        assert hour.kwh[0] == pytest.approx(fsum(parts), abs=1e-9)


@given(st.lists(st.floats(0, 5), min_size=2, max_size=60), st.randoms())
def test_repeated_and_shuffled_samples_make_the_same_rows(energies, chance):
    samples = [Sample(START + (number + 1) * STEP, (kwh,)) for number, kwh in enumerate(energies)]
    stale = [Sample(sample.at, (99.0,)) for sample in samples[::3]]
    mixed = stale + samples
    late = samples[:]
    chance.shuffle(late)
    assert rows_from_amounts(mixed, STEP, at_end=True) == rows_from_amounts(samples, STEP, at_end=True)
    assert rows_from_amounts(late, STEP, at_end=True) == rows_from_amounts(samples, STEP, at_end=True)


@given(st.lists(st.floats(0, 2).map(lambda kwh: round(kwh, 1)), min_size=2, max_size=60))
def test_the_rows_of_a_counter_add_up_to_its_rise(rises):
    readings = [fsum(rises[: number + 1]) for number in range(len(rises))]
    samples = [Sample(START + number * STEP, (reading,)) for number, reading in enumerate(readings)]
    rows = rows_from_counter(samples, STEP, 0.1)
    assert fsum(row.kwh[0] for row in rows) == pytest.approx(readings[-1] - readings[0], abs=1e-9)
    assert all(row.kwh[0] >= 0 for row in rows)


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=40))
def test_no_counter_however_it_jumps_makes_negative_energy(readings):
    samples = [Sample(START + number * STEP, (reading,)) for number, reading in enumerate(readings)]
    for row in rows_from_counter(samples, STEP, 0.1, most_kw=8.0):
        assert row.kwh is None or min(row.kwh) >= 0


def test_a_time_without_rows_has_no_interval_but_a_row_of_zero_has_an_interval():
    rows = rows_of([0.0, 0.0, 0.0])
    resampled = intervals(rows, grid(timedelta(minutes=15), 2))
    assert resampled == [Interval(START, START + 3 * STEP, (0.0,))]


def test_a_row_across_a_boundary_is_split_by_time_and_both_parts_are_derived():
    row = Row(START + timedelta(minutes=10), START + timedelta(minutes=25), (3.0,))
    first, second = intervals([row], grid(timedelta(minutes=15), 2))
    assert (first.kwh, second.kwh) == ((pytest.approx(1.0),), (pytest.approx(2.0),))
    assert {first.quality, second.quality} == {Quality.DERIVED}


def test_a_hole_between_two_rows_is_partial_and_the_night_before_the_first_is_not():
    rows = rows_of([1.0] * 12)
    del rows[4:6]
    resampled = intervals(rows, grid(timedelta(hours=1), 2))
    assert [(interval.kwh, interval.quality) for interval in resampled] == [((10.0,), Quality.PARTIAL)]
    late = rows_of([1.0] * 6, start=START + timedelta(minutes=30))
    assert [interval.quality for interval in intervals(late, grid(timedelta(hours=1), 1))] == [Quality.MEASURED]
    assert [interval.quality for interval in intervals(late, grid(timedelta(hours=1), 1), nights=False)] == [
        Quality.PARTIAL
    ]


def test_an_interval_beyond_the_vendor_s_data_is_partial():
    rows = rows_of([1.0] * 24)
    resampled = intervals(rows, grid(timedelta(hours=1), 2), known_until=START + timedelta(minutes=119))
    assert [interval.quality for interval in resampled] == [Quality.MEASURED, Quality.PARTIAL]


def test_the_energy_after_a_short_gap_is_spread_and_after_a_long_gap_it_counts_for_the_day_only():
    samples = [Sample(START + timedelta(hours=6, minutes=minute), (1.0,)) for minute in (5, 35, 155)]
    first, spread, lump = rows_from_amounts(samples, STEP, at_end=True, catches_up=True)
    assert (spread.end - spread.start, spread.is_lump) == (timedelta(minutes=30), False)
    assert spread.quality is Quality.DERIVED
    assert (lump.end - lump.start, lump.is_lump) == (timedelta(hours=2), True)
    rows = [first, spread, lump]
    hours = intervals(rows, grid(timedelta(hours=1), 24))
    # The lump lies in the hours 6 to 8: half of the first hour was measured, and nothing of the later hours.
    assert [(interval.start.hour, interval.kwh, interval.quality) for interval in hours] == [
        (6, (2.0,), Quality.PARTIAL)
    ]
    (day,) = intervals(rows, [START, START + timedelta(days=1)])
    assert (day.kwh, day.quality) == ((3.0,), Quality.DERIVED)


def test_a_row_beyond_the_rating_is_dropped_and_leaves_a_partial_sum():
    rows = rows_of([0.5, 1024.8, 0.5])
    (interval,) = intervals(without_impossible(rows, most_kw=6.0), grid(timedelta(minutes=15), 1))
    assert (interval.kwh, interval.quality) == ((1.0,), Quality.PARTIAL)
    assert intervals(without_impossible(rows_of([99.0]), most_kw=6.0), grid(STEP, 1)) == []


def test_an_interval_has_the_smallest_share_of_reporting_devices_of_its_rows():
    rows = [
        Row(START, START + STEP, (1.0,), reporting=Reporting(31, 31)),
        Row(START + STEP, START + 2 * STEP, (1.0,), reporting=Reporting(27, 31)),
    ]
    (interval,) = intervals(rows, grid(timedelta(minutes=10), 1))
    assert interval.reporting == Reporting(27, 31)
    assert interval.quality is Quality.PARTIAL


def test_a_silent_device_makes_the_sum_partial_but_a_sleeping_device_does_not():
    hours = grid(timedelta(hours=1), 3)
    awake, asleep = rows_of([1.0] * 36), rows_of([2.0] * 12, start=START + timedelta(hours=1))
    summed = sum_of(awake, asleep, borders=hours)
    assert [interval.kwh[0] for interval in summed] == [12.0, 36.0, 12.0]
    assert {interval.quality for interval in summed} == {Quality.MEASURED}
    silent = sum_of(awake, [], borders=hours)
    assert {(interval.quality, interval.reporting) for interval in silent} == {(Quality.PARTIAL, Reporting(1, 2))}


def test_charge_is_the_mean_over_time():
    rows = [
        Row(START, START + 2 * STEP, (0.0, 0.0), soc_percent=50.0),
        Row(START + 2 * STEP, START + 3 * STEP, (0.0, 0.0), soc_percent=80.0),
    ]
    (interval,) = intervals(rows, grid(timedelta(minutes=15), 1))
    assert interval.soc_percent == pytest.approx(60.0)


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

# Minutes until the next reading, and the energy until then; more than an hour is a gap.
READINGS = st.lists(
    st.tuples(st.sampled_from([5, 5, 5, 7, 11, 45, 61, 90, 200]), st.floats(0.2, 3)), min_size=2, max_size=150
)


def rows_of_readings(readings, start):
    """A counter's rows, which end with the day."""
    passed = accumulate((minutes for minutes, _ in readings), initial=3)
    risen = accumulate((kwh for _, kwh in readings), initial=0.0)
    samples = [Sample(start + timedelta(minutes=at), (kwh,)) for at, kwh in zip(passed, risen, strict=True)]
    return rows_from_counter([sample for sample in samples if sample.at < start + timedelta(hours=23)], STEP, 0.1)


def rows_that_catch_up(readings, start):
    """Amounts of five minutes, in which an amount after a gap includes that of the gap; some are impossible."""
    passed = accumulate((minutes // 5 * 5 for minutes, _ in readings), initial=5)
    samples = [Sample(start + timedelta(minutes=at), (kwh,)) for at, (_, kwh) in zip(passed, readings, strict=False)]
    rows = rows_from_amounts(
        [sample for sample in samples if sample.at < start + timedelta(hours=23)], STEP, at_end=True, catches_up=True
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
def test_quarters_hours_and_the_day_hold_the_same_energy_as_far_as_it_was_measured(readings, rows_from, zone, start):
    rows = rows_from(readings, start)
    for level in (Level.QUARTER, Level.HOUR, Level.DAY):
        resampled = at_level(level, rows, zone, start)
        known = [row for row in rows if row.kwh and (not row.is_lump or lies_within(row, level, zone))]
        assert fsum(interval.kwh[0] for interval in resampled) == pytest.approx(
            fsum(row.kwh[0] for row in known), abs=1e-9
        )
        touched = [row for row in rows if row not in known]
        for interval in resampled:
            is_touched = any(row.start < interval.end and row.end > interval.start for row in touched)
            assert not is_touched or interval.quality is Quality.PARTIAL


@pytest.mark.parametrize(("zone", "start"), NIGHTS.values(), ids=NIGHTS)
@settings(max_examples=25)
@given(readings=READINGS)
def test_an_hour_without_a_gap_is_the_sum_of_its_quarters_on_every_clock(readings, zone, start):
    rows = rows_of_readings(readings, start)
    quarters = at_level(Level.QUARTER, rows, zone, start)
    for hour in at_level(Level.HOUR, rows, zone, start):
        if not any(row.is_lump and row.start >= hour.start and row.end <= hour.end for row in rows):
            parts = [interval.kwh[0] for interval in quarters if hour.start <= interval.start < hour.end]
            assert hour.kwh[0] == pytest.approx(fsum(parts), abs=1e-9)


def test_a_device_that_is_silent_between_two_of_its_hours_makes_the_sum_partial():
    hours = grid(timedelta(hours=1), 4)
    whole = rows_of([1.0] * 48)
    with_gap = rows_of([2.0] * 12) + rows_of([2.0] * 12, start=START + timedelta(hours=3))
    summed = sum_of(whole, with_gap, borders=hours)
    assert [interval.kwh[0] for interval in summed] == [36.0, 12.0, 12.0, 36.0]
    silent = (Quality.PARTIAL, Reporting(1, 2))
    assert [(interval.quality, interval.reporting) for interval in summed[1:3]] == [silent, silent]
    assert (summed[0].quality, summed[3].quality) == (Quality.MEASURED, Quality.MEASURED)
    # Wherever a page begins.
    assert sum_of(whole, with_gap, borders=hours[2:]) == summed[2:]


def test_a_device_that_never_sleeps_is_missing_in_hours_without_its_rows():
    hours = grid(timedelta(hours=1), 4)
    summed = sum_of(rows_of([1.0] * 48), rows_of([1.0] * 24), borders=hours, nights=False)
    assert [interval.kwh[0] for interval in summed] == [24.0, 24.0, 12.0, 12.0]
    assert [interval.quality for interval in summed] == [Quality.MEASURED] * 2 + [Quality.PARTIAL] * 2
    assert {interval.reporting for interval in summed[2:]} == {Reporting(1, 2)}
