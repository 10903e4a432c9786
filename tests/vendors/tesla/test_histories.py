"""Rows of Tesla's histories: their stamps, steps, and sums."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.truth import vendor_of
from vendors.kit import Level, Quality
from vendors.tesla.series import FLOWS, PRODUCED, to_rows, to_samples

NOW = datetime(2026, 6, 17, 20, 22, tzinfo=UTC)


def day_rows(*wh):
    stamps = (f"2026-06-01T10:{5 * number:02}:00-07:00" for number in range(len(wh)))
    return [{"timestamp": at} | energies for at, energies in zip(stamps, wh, strict=True)]


def test_rows_are_stamped_with_their_start():
    raws = day_rows({"solar_energy_exported": 250}, {"solar_energy_exported": 0})
    (row, _) = to_rows(raws, PRODUCED, "day", UTC)
    assert (row.start.isoformat(), row.end.isoformat()) == ("2026-06-01T17:00:00+00:00", "2026-06-01T17:05:00+00:00")
    assert row.kwh == (0.25,)


def test_the_step_of_rows_is_the_usual_distance_of_their_stamps():
    stamps = [f"2026-06-01T10:{minute}:00-07:00" for minute in ("00", "15", "45")]
    rows = [{"timestamp": stamp, "solar_energy_exported": 1} for stamp in stamps]
    assert [(row.end - row.start).seconds for row in to_rows(rows, PRODUCED, "day", UTC)] == [900, 900, 900]


def test_charge_is_the_sum_of_its_sources_where_a_row_has_no_total():
    rows = day_rows({"battery_energy_imported_from_grid": 100, "battery_energy_imported_from_solar": 20,
                     "battery_energy_exported": 3})  # fmt: skip
    assert to_samples(rows, FLOWS)[0].kwh == (0.12, 0.003)


def test_a_row_without_energies_or_with_a_null_is_left_out_and_0_stays():
    assert to_samples(day_rows({}, {"solar_energy_exported": None}), PRODUCED) == []
    assert to_samples(day_rows({"solar_energy_exported": 0}), PRODUCED)[0].kwh == (0.0,)


def test_a_gap_between_two_rows_is_not_their_step():
    rows = [{"timestamp": f"2026-06-01T{hour}:00:00-07:00", "solar_energy_exported": 1} for hour in ("10", "13")]
    assert [(row.end - row.start).seconds for row in to_rows(rows, PRODUCED, "day", UTC)] == [300, 300]


@pytest.mark.parametrize("stamp", ["2026-07-01T00:00:00-07:00", "2026-07-01T00:00:00-08:00"])
@pytest.mark.parametrize(("period", "days"), [("month", 1), ("year", 31), ("lifetime", 365)])
def test_a_stamp_with_the_offset_of_another_season_has_its_date(stamp, period, days):
    start, clock = stamp.replace("07-01", "01-01") if period == "lifetime" else stamp, ZoneInfo("America/Los_Angeles")
    (row,) = to_rows([{"timestamp": start, "solar_energy_exported": 1}], PRODUCED, period, clock)
    assert row.start.astimezone(clock).strftime("%d %H:%M") == "01 00:00"
    assert row.end - row.start == timedelta(days=days)
    assert (row.quality is Quality.MEASURED) == (row.start == datetime.fromisoformat(start))


@pytest.mark.parametrize("number", [0, 2, 4], ids=["Berlin", "Delhi", "Lord Howe"])
def test_intervals_of_a_site_without_a_zone_are_true(number):
    with vendor_of("tesla", 8) as vendor, vendor.at(NOW):
        vendor.account.played.put("/options/tesla", {"no_time_zone": True})
        for kind in ("solar", "battery"):
            (case, *_) = vendor.cases(number, kind)
            for level, hours in ((Level.HOUR, 30), (Level.DAY, 24 * 40)):
                intervals = vendor.read(case, level, NOW - timedelta(hours=hours), NOW)
                assert len(intervals) >= (hours // 24 if level is Level.DAY else hours)
                whole = [interval for interval in intervals if interval.quality is not Quality.PARTIAL]
                for interval in whole:
                    truth = case.kwh(interval.start, interval.end)
                    assert interval.kwh == pytest.approx(truth, abs=0.001 * case.devices)
                assert len(whole) >= len(intervals) - 2
