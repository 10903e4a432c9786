"""Solis' charts: readings of counters, and totals of days and months."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.vendors.solis.played import API, INVERTER, NOW, STATION, listed, milliseconds, sample, station, success
from tests.vendors.support import intervals_between, open_vendor
from vendors.kit import BadReply, Client, Level, Quality, Sample
from vendors.solis.series import STEP, amount_kwh, fine_rows, offsets


def of_inverter(cloud, level, start, end, now=NOW):
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-no-battery"))
    cloud.post(f"{API}/stationDetail", json=station())
    series = open_vendor("solis").solar_intervals((INVERTER,), level)
    return intervals_between(series, level, start, end, now)


def test_another_inverter_s_chart_is_a_bad_reply(cloud):
    row = {"inverterId": "1300000000000000002", "dateStr": "2026-08-01", "energy": 41.6}
    cloud.post(f"{API}/inverterMonth", json=success([row]))
    with pytest.raises(BadReply, match="/inverterMonth"):
        of_inverter(cloud, Level.DAY, datetime(2026, 8, 1), datetime(2026, 8, 2))


@pytest.mark.parametrize("data", [None, []])
@pytest.mark.parametrize("level", Level)
def test_a_chart_without_rows_gives_no_intervals_and_no_error(cloud, data, level):
    for chart in ("Day", "Month", "Year"):
        cloud.post(f"{API}/inverter{chart}", json=success(data))
    assert of_inverter(cloud, level, datetime(2026, 8, 1), datetime(2026, 8, 2)) == []


def test_a_row_without_its_date_is_left_out_alone(cloud):
    rows = [{"dateStr": f"2026-08-{day:02d}", "energy": float(day)} for day in (1, 2)]
    cloud.post(f"{API}/inverterMonth", json=success([{"energy": 5.0}, *rows]))
    days = of_inverter(cloud, Level.DAY, datetime(2026, 8, 1), datetime(2026, 8, 3))
    assert [day.kwh for day in days] == [(1.0,), (2.0,)]


def counter(*readings):
    return success([{"dataTimestamp": milliseconds(at), "eToday": kwh} for at, kwh in readings])


def test_readings_an_hour_apart_give_all_hours_even_if_every_second_is_minutes_late(cloud):
    midnight = datetime(2026, 8, 20, 22, 1, tzinfo=UTC)
    stamps = [midnight + timedelta(hours=hour, minutes=3 * (hour % 2)) for hour in range(6, 18)]
    cloud.post(f"{API}/inverterDay", json=counter(*((at, 1.0 * number) for number, at in enumerate(stamps))))
    hours = of_inverter(cloud, Level.HOUR, datetime(2026, 8, 21), datetime(2026, 8, 22))
    assert sum(hour.kwh[0] for hour in hours) == pytest.approx(11.0)
    assert len(hours) == 12


def test_counters_of_the_future_are_no_energy(cloud, monkeypatch):
    now = NOW + timedelta(minutes=30)
    monkeypatch.setattr(Client, "now", now)
    readings = [(now - timedelta(minutes=5 * number), 10.0 - 0.1 * number) for number in range(20)]
    readings += [(now + timedelta(minutes=5), 12.0), (now + timedelta(days=1), 20.0)]
    cloud.post(f"{API}/inverterDay", json=counter(*readings))
    hours = of_inverter(cloud, Level.HOUR, NOW - timedelta(hours=1), now, now)
    assert [hour.start for hour in hours] == [NOW - timedelta(hours=1), NOW]
    assert [hour.kwh[0] for hour in hours] == [pytest.approx(1.2), pytest.approx(0.6)]


def test_an_inverter_that_is_listed_twice_counts_once_in_its_site_s_energy(cloud):
    (row,) = sample("inverterList-no-battery")["data"]["page"]["records"]
    cloud.post(f"{API}/inverterList", json=listed(row, row))
    cloud.post(f"{API}/stationDetail", json=station())
    readings = [(NOW - timedelta(hours=3) + timedelta(minutes=5 * number), 0.1 * number) for number in range(30)]
    cloud.post(f"{API}/inverterDay", json=counter(*readings))
    series = open_vendor("solis").site_solar_intervals((STATION,), Level.HOUR)
    (hour,) = intervals_between(series, Level.HOUR, NOW - timedelta(hours=2), NOW - timedelta(hours=1), NOW)
    assert hour.kwh[0] == pytest.approx(1.2)
    assert hour.reporting is None


@pytest.mark.parametrize(
    ("raw", "kwh"),
    [
        ({"energy": 866.0, "energyStr": "MWh", "energyPec": "0.001"}, 866.0),
        ({"energy": 41.6, "energyStr": "kWh", "energyPec": "1"}, 41.6),
        ({"energy": 41.6}, 41.6),
        ({"energy": 41.6, "energyStr": "J", "energyPec": "1"}, None),
        ({"energy": None, "energyStr": "kWh"}, None),
    ],
)
def test_the_amount_of_a_chart_is_in_its_unit_after_its_factor(raw, kwh):
    assert amount_kwh(raw, "energy") == kwh


def test_full_hours_times_the_rating_is_the_energy_in_recorded_charts():
    for name, rated_kw in (("inverterYear", 8.0), ("inverterMonth", 8.0)):
        for raw in sample(name)["data"]:
            assert amount_kwh(raw, "energy") == pytest.approx(raw["fullHour"] * rated_kw, abs=0.05)


def rows_of(*counters, most_kw=8.0, counted_since=None):
    at = datetime(2026, 6, 1, 8, 1, 31, tzinfo=UTC)
    samples = [Sample(at + number * STEP, (kwh,)) for number, kwh in enumerate(counters)]
    day = datetime(2026, 6, 1, tzinfo=UTC)
    return fine_rows(samples, day, day + timedelta(days=1), most_kw, counted_since)


def test_a_row_of_zeros_between_two_others_is_no_reset():
    assert [row.kwh for row in rows_of(3.0, 3.2, 0.0, 3.4)] == [(pytest.approx(0.2),), (pytest.approx(0.2),)]


def test_a_counter_that_was_reset_counts_from_zero():
    assert [row.kwh[0] for row in rows_of(3.0, 3.2, 0.3, 0.5)] == pytest.approx([0.2, 0.3, 0.2])


@pytest.mark.parametrize(
    ("counters", "starts", "is_lump"),
    [
        ((0.2, 0.3, 0.5, 0.8), (7, 51, 31), False),
        ((0.1, 0.1, 0.1, 0.1), (7, 56, 31), False),
        ((8.0, 8.4, 8.8, 9.2), (0, 0, 0), True),
        ((0.4, 0.4, 0.4, 0.4), (0, 0, 0), True),
    ],
)
def test_the_first_reading_of_a_day_is_spread_since_sunrise_or_is_a_lump_if_it_is_too_high(counters, starts, is_lump):
    midnight = datetime(2026, 6, 1, tzinfo=UTC)
    first, second, *_ = rows_of(*counters, counted_since=midnight)
    assert (first.start, first.end) == (datetime(2026, 6, 1, *starts, tzinfo=UTC), second.start)
    assert (first.kwh, first.quality, first.is_lump) == ((counters[0],), Quality.DERIVED, is_lump)


@pytest.mark.parametrize("counters", [(9.0, 0.1, 0.2), (0.0, 0.1, 0.2)])
def test_a_first_reading_of_yesterday_s_counter_or_of_0_is_no_energy(counters):
    assert rows_of(*counters, counted_since=datetime(2026, 6, 1, tzinfo=UTC))[0].start.minute == 1


def test_readings_before_the_inverters_midnight_give_no_first_row():
    later = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
    assert [row.kwh[0] for row in rows_of(3.0, 3.2, counted_since=later)] == pytest.approx([0.2])


def test_another_device_s_counter_is_no_energy():
    assert [row.kwh for row in rows_of(300.0, 300.2, 120.0, 120.2)] == [
        (pytest.approx(0.2),),
        None,
        (pytest.approx(0.2),),
    ]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 6, 1), [2]),
        ("Europe/Berlin", date(2026, 3, 29), [2]),
        ("Europe/Berlin", date(2025, 10, 26), [2, 1]),
        ("Asia/Kathmandu", date(2026, 6, 1), [5.75]),
    ],
)
def test_calls_of_24_hours_cover_every_date(zone, day, hours):
    assert [offset.utcoffset(None) / timedelta(hours=1) for offset in offsets(day, ZoneInfo(zone))] == hours
