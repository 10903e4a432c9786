"""SMA's series: rows of the step that the answer names, of the period asked for, and no others."""

from datetime import UTC, datetime, timedelta

import pytest
from responses import matchers

from tests.vendors.sma.played import BALANCE, PLANT, PRODUCTION, day, of_inverter, of_site, sample, shown
from tests.vendors.support import BASE, open_vendor
from vendors.kit import BadReply, Level, Quality


def test_rows_of_an_hour_are_hours_as_measured_and_quarters_spread_evenly(cloud):
    cloud.get(f"{BALANCE}/Day", json=sample("plant_EnergyBalance_Day_hours"))
    assert shown(of_site(Level.HOUR)) == [(f"{hour:02d}:00", 3.0, "measured") for hour in (8, 9, 10)]
    quarters = shown(of_site(Level.QUARTER))
    assert len(quarters) == 12
    assert quarters[0] == ("08:00", 0.75, "derived")
    assert quarters == [(start, 0.75, "derived") for start, _, _ in quarters]


def test_a_row_of_an_hour_is_held_to_the_rating_over_an_hour(cloud):
    cloud.get(f"{PRODUCTION}/Day", json=sample("device_EnergyAndPowerPv_Day_hours"))
    assert shown(of_inverter(Level.HOUR)) == [("12:00", 3.0, "measured"), ("13:00", 3.0, "measured")]


@pytest.mark.parametrize(
    ("peak_w", "generators_w", "limit_kw"),
    [
        (8000.0, [5000.0, 5000.0], 10.0),
        (12_000.0, [5000.0, None], 12.0),
        (10_000.0, [], 10.0),
    ],
)
def test_a_plant_gives_at_most_its_peak_power_or_the_rating_of_all_its_devices_ever(
    cloud, peak_w, generators_w, limit_kw
):
    cloud.replace("GET", f"{BASE}/v1/plants", json={"plants": [PLANT | {"installation": {"peakPower": peak_w}}]})
    devices = [{"generatorPower": watts, "isActive": False} for watts in generators_w]
    query = [matchers.query_param_matcher({"WithDeactivatedDevices": "true"})]
    cloud.get(f"{BASE}/v1/plants/13/devices/lean", json={"devices": devices}, match=query)
    rows = [("2026-06-16T12:00:00", 1290 * limit_kw), ("2026-06-16T13:00:00", 1310 * limit_kw)]
    cloud.get(f"{BALANCE}/Day", json=day("OneHour", *rows))
    assert [start for start, _, _ in shown(of_site(Level.HOUR))] == ["11:00"]


def test_the_rows_of_a_plant_without_a_peak_power_are_not_checked_and_cost_no_further_call(cloud):
    cloud.get(f"{BALANCE}/Day", json=day("OneHour", ("2026-06-16T12:00:00", 999e3)))
    assert shown(of_site(Level.HOUR)) == [("11:00", 999.0, "measured")]
    assert len(cloud.calls) == 2


@pytest.mark.parametrize(
    ("resolution", "minutes"), [("OneMinute", 1), ("FiveMinutes", 5), ("FifteenMinutes", 15), ("OneHour", 60)]
)
def test_a_row_lasts_as_long_as_its_resolution_says(cloud, resolution, minutes):
    cloud.get(f"{PRODUCTION}/Day", json=day(resolution, ("2026-06-16T12:00:00", 60.0)))
    series = open_vendor("sma").solar_intervals(("16",), Level.QUARTER)
    (tile,) = series.tiles(datetime(2026, 6, 15, 22, tzinfo=UTC), datetime(2026, 6, 16, 22, tzinfo=UTC))
    ((row,),) = tile.read()
    assert row.end - row.start == timedelta(minutes=minutes)


def test_rows_of_a_quarter_hour_are_quarters_as_measured(cloud):
    rows = [(f"2026-06-16T12:{minute}:00", 500.0) for minute in (15, 30, 45)]
    cloud.get(f"{PRODUCTION}/Day", json=day("FifteenMinutes", *rows))
    assert shown(of_inverter(Level.QUARTER)) == [(f"12:{minute:02d}", 0.5, "measured") for minute in (0, 15, 30)]


def test_an_undocumented_resolution_is_the_usual_distance_of_the_stamps(cloud):
    rows = [(f"2026-06-16T{hour}:00", 900.0) for hour in ("11:30", "12:00", "13:00", "13:30")]
    cloud.get(f"{PRODUCTION}/Day", json=day("ThirtyMinutes", *rows))
    assert shown(of_inverter(Level.HOUR)) == [
        ("11:00", 1.8, "measured"),
        ("12:00", 0.9, "derived"),
        ("13:00", 0.9, "measured"),
    ]


@pytest.mark.parametrize("resolution", [None, "", "missing"])
def test_a_missing_resolution_is_the_usual_distance_of_the_stamps(cloud, resolution):
    answer = sample("plant_EnergyBalance_Day_hours") | {"resolution": resolution}
    if resolution == "missing":
        del answer["resolution"]
    cloud.get(f"{BALANCE}/Day", json=answer)
    assert shown(of_site(Level.HOUR)) == [(f"{hour:02d}:00", 3.0, "measured") for hour in (8, 9, 10)]
    assert shown(of_site(Level.QUARTER))[0] == ("08:00", 0.75, "derived")


def test_a_single_row_of_unknown_length_gives_no_quarter(cloud):
    cloud.get(f"{BALANCE}/Day", json=day(None, ("2026-06-16T09:00:00", 3e3)))
    assert of_site(Level.QUARTER) == []


@pytest.mark.parametrize(("level", "period"), [(Level.DAY, "Month"), (Level.MONTH, "Year")])
def test_dates_without_a_resolution_are_of_the_calendar(cloud, level, period):
    dates = [f"2026-05-0{number}" for number in (1, 2)] if level is Level.DAY else ["2026-04-01", "2026-05-01"]
    answer = day(None, *((f"{date}T00:00:00", 5e3) for date in dates))
    cloud.get(f"{BALANCE}/{period}", json=answer)
    intervals = of_site(level, datetime(2026, 4, 1), datetime(2026, 6, 1))
    assert [(interval.kwh, interval.quality) for interval in intervals] == [((5.0,), Quality.MEASURED)] * 2


def test_of_rows_coarser_than_requested_no_part_is_known(cloud):
    cloud.get(f"{PRODUCTION}/Day", json=day("OneDay", ("2026-06-16T00:00:00", 24_000.0)))
    cloud.get(f"{PRODUCTION}/Month", json=day("OneMonth", ("2026-05-01T00:00:00", 600_000.0)))
    assert of_inverter(Level.HOUR) == []
    assert of_inverter(Level.DAY, datetime(2026, 5, 1), datetime(2026, 6, 1)) == []


def test_a_year_answered_in_days_is_summed_to_months(cloud):
    days = [(f"2025-{month:02d}-{day:02d}T00:00:00", 1000.0) for month in (1, 2) for day in range(1, 29)]
    cloud.get(f"{PRODUCTION}/Year", json=day("OneDay", *days))
    january, february = of_inverter(Level.MONTH, datetime(2025, 1, 1), datetime(2025, 3, 1))
    assert (january.kwh, february.kwh) == ((28.0,), (28.0,))
    assert february.quality is Quality.MEASURED


@pytest.mark.parametrize("answer", [{}, {"set": None}, {"set": []}, {"resolution": "FiveMinutes"}])
@pytest.mark.parametrize("level", Level)
def test_an_answer_without_rows_gives_no_intervals_and_no_error(cloud, answer, level):
    for period in ("Day", "Month", "Year"):
        cloud.get(f"{BALANCE}/{period}", json=answer)
    assert of_site(level) == []


def test_rows_of_another_date_and_of_the_future_do_not_count_for_today(cloud):
    rows = [
        ("2026-06-16T13:00:00", 100.0),
        ("2026-06-17T00:00:00", 100.0),
        ("2026-06-17T14:00:00", 300.0),
        ("2026-06-17T14:05:00", 200.0),
        ("2026-06-17T14:10:00", 400.0),
        ("2026-06-18T14:05:00", 400.0),
    ]
    cloud.get(f"{PRODUCTION}/Day", json=day("FiveMinutes", *rows))
    cloud.get(f"{PRODUCTION}/Total", json={})
    cloud.get(f"{BASE}/v1/devices/16/status", json={})
    inverter = open_vendor("sma").solar_inverter(("16",))
    assert inverter.recent_production.kwh == pytest.approx(0.5)
    assert inverter.power_kw == pytest.approx(2.4)
    assert inverter.measured_at == datetime(2026, 6, 17, 12, 5, tzinfo=UTC)
    today = of_inverter(Level.HOUR, datetime(2026, 6, 17), datetime(2026, 6, 18))
    assert [(hour.start.hour, hour.kwh[0]) for hour in today] == [(11, pytest.approx(0.3)), (12, pytest.approx(0.2))]


def test_months_and_days_of_other_years_and_of_the_future_are_left_out(cloud):
    cloud.get(f"{PRODUCTION}/Month", json=day("OneDay", ("2026-05-31T00:00:00", 7e3), ("2026-06-01T00:00:00", 5e3)))
    days = of_inverter(Level.DAY, datetime(2026, 6, 1), datetime(2026, 6, 17))
    assert [day.kwh for day in days] == [(5.0,)]


def test_an_answer_about_another_plant_or_device_is_a_bad_reply(cloud):
    other = {"plant": {"plantId": "14"}, "device": {"deviceId": "17"}, **day("FiveMinutes")}
    cloud.get(f"{BALANCE}/Day", json=other)
    cloud.get(f"{PRODUCTION}/Day", json=other)
    for series in (of_site, of_inverter):
        with pytest.raises(BadReply, match="/measurements/sets/"):
            series(Level.HOUR)
