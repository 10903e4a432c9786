"""SMA's series: rows of the step that the answer names, of the time that was asked for, and of nothing else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from responses import matchers

from tests.vendors.support import BASE, open_vendor
from vendors.kit import BadReply, Client, Level, Quality
from vendors.kit.series.read import ReadUpTo, intervals
from vendors.kit.series.windows import Asked

HERE = Path(__file__).parent
NOW = datetime(2026, 6, 17, 12, 7, tzinfo=UTC)
PLANT = {"plantId": "13", "name": "Plant", "timezone": "Europe/Berlin"}
BALANCE = f"{BASE}/v1/plants/13/measurements/sets/EnergyBalance"
PRODUCTION = f"{BASE}/v1/devices/16/measurements/sets/EnergyAndPowerPv"


def sample(name):
    return json.loads((HERE / f"{name}.json").read_text())


@pytest.fixture(autouse=True)
def cloud(network, monkeypatch):
    """The account's plant 13 and its inverter 16 of 6 kW, at noon in June."""
    monkeypatch.setattr(Client, "now", NOW)
    network.assert_all_requests_are_fired = False
    network.get(f"{BASE}/v1/plants", json={"plants": [PLANT]})
    network.get(f"{BASE}/v1/devices/16", json=sample("device_16_detail_sandbox"))
    return network


def read(series, level, start, end):
    window = Asked(level, start, end).widened(series.zone, NOW, series.since)
    return [found for found in intervals(series, window, 1000, NOW) if not isinstance(found, ReadUpTo)]


def of_site(level, start=datetime(2026, 6, 16), end=datetime(2026, 6, 17)):
    return read(open_vendor("sma").site_solar_intervals(("13",), level), level, start, end)


def of_inverter(level, start=datetime(2026, 6, 16), end=datetime(2026, 6, 17)):
    return read(open_vendor("sma").solar_intervals(("16",), level), level, start, end)


def shown(found):
    """Start on the plant's clock (in June), energy and quality."""
    return [
        (f"{one.start + timedelta(hours=2):%H:%M}", pytest.approx(one.kwh[0]), one.quality.name.lower())
        for one in found
    ]


def day(resolution, *rows):
    return {"resolution": resolution, "set": [{"time": time, "pvGeneration": wh} for time, wh in rows]}


def test_rows_of_an_hour_are_hours_as_measured_and_quarters_spread_evenly(cloud):
    cloud.get(f"{BALANCE}/Day", json=sample("plant_EnergyBalance_Day_hours"))
    assert shown(of_site(Level.HOUR)) == [(f"{hour:02d}:00", 3.0, "measured") for hour in (8, 9, 10)]
    quarters = shown(of_site(Level.QUARTER))
    assert len(quarters) == 12
    assert quarters[0] == ("08:00", 0.75, "derived")
    assert quarters == [(start, 0.75, "derived") for start, _, _ in quarters]


def test_the_first_row_of_an_hour_is_not_taken_for_more_than_an_inverter_can_give_in_five_minutes(cloud):
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
def test_a_plant_gives_at_most_its_peak_power_or_its_generators_deactivated_ones_too(
    cloud, peak_w, generators_w, limit_kw
):
    cloud.replace("GET", f"{BASE}/v1/plants", json={"plants": [PLANT | {"installation": {"peakPower": peak_w}}]})
    devices = [{"generatorPower": wh, "isActive": False} for wh in generators_w]
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
    (series,) = [open_vendor("sma").solar_intervals(("16",), Level.QUARTER)]
    (tile,) = series.tiles(datetime(2026, 6, 15, 22, tzinfo=UTC), datetime(2026, 6, 16, 22, tzinfo=UTC))
    ((row,),) = tile.read()
    assert row.end - row.start == timedelta(minutes=minutes)


def test_rows_of_a_quarter_hour_are_quarters_as_measured(cloud):
    rows = [(f"2026-06-16T12:{minute}:00", 500.0) for minute in (15, 30, 45)]
    cloud.get(f"{PRODUCTION}/Day", json=day("FifteenMinutes", *rows))
    assert shown(of_inverter(Level.QUARTER)) == [(f"12:{minute:02d}", 0.5, "measured") for minute in (0, 15, 30)]


def test_a_resolution_that_nobody_documents_is_read_off_the_stamps(cloud):
    rows = [(f"2026-06-16T{hour}:00", 900.0) for hour in ("11:30", "12:00", "13:00", "13:30")]
    cloud.get(f"{PRODUCTION}/Day", json=day("ThirtyMinutes", *rows))
    assert shown(of_inverter(Level.HOUR)) == [
        ("11:00", 1.8, "measured"),
        ("12:00", 0.9, "derived"),
        ("13:00", 0.9, "measured"),
    ]


@pytest.mark.parametrize("resolution", [None, "", "missing"])
def test_a_resolution_that_is_not_told_is_read_off_the_stamps(cloud, resolution):
    answer = sample("plant_EnergyBalance_Day_hours") | {"resolution": resolution}
    if resolution == "missing":
        del answer["resolution"]
    cloud.get(f"{BALANCE}/Day", json=answer)
    assert shown(of_site(Level.HOUR)) == [(f"{hour:02d}:00", 3.0, "measured") for hour in (8, 9, 10)]
    assert shown(of_site(Level.QUARTER))[0] == ("08:00", 0.75, "derived")


def test_a_single_row_of_an_unknown_length_is_no_quarter_s(cloud):
    cloud.get(f"{BALANCE}/Day", json=day(None, ("2026-06-16T09:00:00", 3e3)))
    assert of_site(Level.QUARTER) == []


@pytest.mark.parametrize(("level", "period"), [(Level.DAY, "Month"), (Level.MONTH, "Year")])
def test_dates_without_a_resolution_are_of_the_calendar(cloud, level, period):
    dates = [f"2026-05-0{number}" for number in (1, 2)] if level is Level.DAY else ["2026-04-01", "2026-05-01"]
    answer = day(None, *((f"{date}T00:00:00", 5e3) for date in dates))
    cloud.get(f"{BALANCE}/{period}", json=answer)
    found = of_site(level, datetime(2026, 4, 1), datetime(2026, 6, 1))
    assert [(one.kwh, one.quality) for one in found] == [((5.0,), Quality.MEASURED)] * 2


def test_rows_coarser_than_what_was_asked_for_are_sums_of_which_nobody_knows_the_parts(cloud):
    cloud.get(f"{PRODUCTION}/Day", json=day("OneDay", ("2026-06-16T00:00:00", 24_000.0)))
    cloud.get(f"{PRODUCTION}/Month", json=day("OneMonth", ("2026-05-01T00:00:00", 600_000.0)))
    assert of_inverter(Level.HOUR) == []
    assert of_inverter(Level.DAY, datetime(2026, 5, 1), datetime(2026, 6, 1)) == []


def test_a_year_in_days_is_a_year_of_months(cloud):
    days = [(f"2025-{month:02d}-{day:02d}T00:00:00", 1000.0) for month in (1, 2) for day in range(1, 29)]
    cloud.get(f"{PRODUCTION}/Year", json=day("OneDay", *days))
    january, february = of_inverter(Level.MONTH, datetime(2025, 1, 1), datetime(2025, 3, 1))
    assert (january.kwh, february.kwh) == ((28.0,), (28.0,))
    assert february.quality is Quality.MEASURED


@pytest.mark.parametrize("answer", [{}, {"set": None}, {"set": []}, {"resolution": "FiveMinutes"}])
@pytest.mark.parametrize("level", Level)
def test_an_answer_without_rows_is_no_data_and_no_fault(cloud, answer, level):
    for period in ("Day", "Month", "Year"):
        cloud.get(f"{BALANCE}/{period}", json=answer)
    assert of_site(level) == []


def test_rows_of_another_date_and_of_the_future_are_not_today_s(cloud):
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
    assert [(one.start.hour, one.kwh[0]) for one in today] == [(11, pytest.approx(0.3)), (12, pytest.approx(0.2))]


def test_months_and_days_of_other_years_and_of_the_future_are_left_out(cloud):
    cloud.get(f"{PRODUCTION}/Month", json=day("OneDay", ("2026-05-31T00:00:00", 7e3), ("2026-06-01T00:00:00", 5e3)))
    found = of_inverter(Level.DAY, datetime(2026, 6, 1), datetime(2026, 6, 17))
    assert [one.kwh for one in found] == [(5.0,)]


def test_the_mean_of_an_hour_is_not_the_power_now(cloud):
    cloud.get(f"{PRODUCTION}/Day", json=day("OneHour", ("2026-06-17T13:00:00", 3e3), ("2026-06-17T14:00:00", 4e3)))
    cloud.get(f"{PRODUCTION}/Total", json={})
    cloud.get(f"{BASE}/v1/devices/16/status", json={})
    inverter = open_vendor("sma").solar_inverter(("16",))
    assert (inverter.power_kw, inverter.recent_production.kwh) == (None, 7.0)
    assert inverter.measured_at == datetime(2026, 6, 17, 12, tzinfo=UTC)


def recent(*rows, resolution="FiveMinutes"):
    return {"resolution": resolution, "set": [{"time": f"2026-06-17T{time}:00", **values} for time, values in rows]}


def test_the_newest_row_is_the_last_one_up_to_now_wherever_it_stands(cloud):
    flows = {"batteryCharging": 2000.0, "batteryDischarging": 500.0, "batteryStateOfCharge": 65.0}
    rows = [("14:05", {"pvGeneration": 3000.0, **flows}), ("14:00", {"pvGeneration": 1.0}), ("14:10", flows)]
    cloud.get(f"{BALANCE}/Recent", json=recent(*rows))
    site = open_vendor("sma").site(("13",))
    assert (site.power_kw, site.bess.soc_percent) == (3.0, 65.0)
    assert (site.charge_kw, site.discharge_kw) == (1.5, 0.0), "a battery that turned round in these five minutes"
    assert site.measured_at == datetime(2026, 6, 17, 12, 5, tzinfo=UTC)


def test_the_mean_of_an_hour_is_not_a_site_s_power_now_and_its_battery_is_there_all_the_same(cloud):
    flows = {"batteryCharging": 2000.0, "batteryDischarging": 0.0, "batteryStateOfCharge": 65.0}
    cloud.get(f"{BALANCE}/Recent", json=recent(("14:00", {"pvGeneration": 3e3, **flows}), resolution="OneHour"))
    site = open_vendor("sma").site(("13",))
    assert (site.power_kw, site.charge_kw, site.discharge_kw, site.bess.soc_percent) == (None, None, None, 65.0)


@pytest.mark.parametrize("resolution", [None, "NinetyMinutes"])
@pytest.mark.parametrize(("before", "power_kw"), [("13:00", None), ("13:30", None), ("13:45", 3.0), ("13:55", 3.0)])
def test_rows_of_an_unknown_step_tell_the_power_now_only_if_they_are_a_quarter_apart(
    cloud, resolution, before, power_kw
):
    rows = [(time, {"pvGeneration": 3e3}) for time in (before, "14:00")]
    cloud.get(f"{BALANCE}/Recent", json=recent(*rows, resolution=resolution))
    site = open_vendor("sma").site(("13",))
    assert (site.power_kw, site.measured_at) == (power_kw, datetime(2026, 6, 17, 12, tzinfo=UTC))


def test_of_a_newest_row_that_comes_twice_the_last_counts(cloud):
    flows = {"batteryCharging": 2000.0, "batteryDischarging": 0.0, "batteryStateOfCharge": 65.0}
    zeros = dict.fromkeys([*flows, "pvGeneration"], 0.0)
    rows = [("14:00", zeros), ("14:05", zeros), ("14:00", zeros), ("14:05", {"pvGeneration": 3000.0, **flows})]
    cloud.get(f"{BALANCE}/Recent", json=recent(*rows))
    site = open_vendor("sma").site(("13",))
    assert (site.power_kw, site.charge_kw, site.bess.soc_percent) == (3.0, 2.0, 65.0)


@pytest.mark.parametrize("answer", [{}, {"set": []}, {"set": [{}]}, {"set": [{"pvGeneration": 1.0}]}])
def test_a_plant_without_a_newest_row_has_no_power(cloud, answer):
    cloud.get(f"{BALANCE}/Recent", json=answer)
    site = open_vendor("sma").site(("13",))
    assert (site.power_kw, site.bess, site.measured_at) == (None, None, None)


def test_an_answer_about_another_plant_or_device_is_a_bad_reply(cloud):
    other = {"plant": {"plantId": "14"}, "device": {"deviceId": "17"}, **day("FiveMinutes")}
    cloud.get(f"{BALANCE}/Day", json=other)
    cloud.get(f"{PRODUCTION}/Day", json=other)
    for series in (of_site, of_inverter):
        with pytest.raises(BadReply, match="/measurements/sets/"):
            series(Level.HOUR)


def test_the_detail_of_another_device_is_a_bad_reply(cloud):
    cloud.get(f"{BASE}/v1/devices/17", json=sample("device_16_detail_sandbox"))
    with pytest.raises(BadReply, match="/v1/devices/17"):
        open_vendor("sma").solar_inverter(("17",))


def test_the_state_and_production_of_another_device_are_left_out_and_reported(cloud):
    other = {"device": {"deviceId": "17", "status": "Error"}}
    cloud.get(f"{BASE}/v1/devices/16/status", json=other)
    cloud.get(f"{PRODUCTION}/Day", json=other | day("FiveMinutes", ("2026-06-17T14:05:00", 200.0)))
    cloud.get(f"{PRODUCTION}/Total", json=other | {"total": {"pvGeneration": 5e6}})
    vendor = open_vendor("sma")
    inverter = vendor.solar_inverter(("16",))
    members = (inverter.status, inverter.power_kw, inverter.recent_production, inverter.lifetime_production)
    assert members == (None, None, None, None)
    assert [failure.code for failure in vendor.client.progress.failures] == ["bad_reply"] * 3


def test_the_devices_of_another_plant_are_a_bad_reply(cloud):
    cloud.get(f"{BASE}/v1/plants/14/devices/lean", json=sample("plant_13_devices_sandbox"))
    with pytest.raises(BadReply, match="/v1/plants/14/"):
        list(open_vendor("sma").devices("14"))


def test_a_lifetime_without_a_total_is_the_sum_of_its_years(cloud):
    cloud.get(f"{PRODUCTION}/Day", json={})
    cloud.get(f"{BASE}/v1/devices/16/status", json={})
    cloud.get(f"{PRODUCTION}/Total", json=day("OneYear", ("2025-01-01T00:00:00", 5e6), ("2026-01-01T00:00:00", 2e6)))
    assert open_vendor("sma").solar_inverter(("16",)).lifetime_production.kwh == 7000.0


def test_a_year_that_comes_twice_is_once_in_the_lifetime(cloud):
    cloud.get(f"{PRODUCTION}/Day", json={})
    cloud.get(f"{BASE}/v1/devices/16/status", json={})
    years = [("2025-01-01T00:00:00", 5e6), ("2026-01-01T00:00:00", 1e6), ("2026-01-01T00:00:00", 2e6)]
    cloud.get(f"{PRODUCTION}/Total", json=day("OneYear", *years))
    assert open_vendor("sma").solar_inverter(("16",)).lifetime_production.kwh == 7000.0


@pytest.mark.parametrize(("capacity_wh", "kwh"), [(34_560.0, 34.56), (0.0, None), (None, None)])
def test_the_capacity_of_a_battery_is_its_nameplate_in_wh(cloud, capacity_wh, kwh):
    detail = sample("device_77_battery_inverter")
    detail["details"]["batteryCapacity"] = capacity_wh
    cloud.get(f"{BASE}/v1/devices/77", json=detail)
    cloud.get(f"{BASE}/v1/devices/77/status", json={})
    cloud.get(f"{BASE}/v1/devices/77/measurements/sets/EnergyAndPowerBattery/Recent", json={})
    assert open_vendor("sma").battery(("77",)).nameplate_kwh == kwh
