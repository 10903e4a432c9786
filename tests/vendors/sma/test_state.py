"""State of SMA's plants and devices: the newest row, the lifetime, and ratings."""

from datetime import UTC, datetime

import pytest

from tests.vendors.sma.played import BALANCE, PRODUCTION, day, recent, sample
from tests.vendors.support import BASE, open_vendor
from vendors.kit import BadReply


def test_the_mean_of_an_hour_is_not_the_power_now(cloud):
    cloud.get(f"{PRODUCTION}/Day", json=day("OneHour", ("2026-06-17T13:00:00", 3e3), ("2026-06-17T14:00:00", 4e3)))
    cloud.get(f"{PRODUCTION}/Total", json={})
    cloud.get(f"{BASE}/v1/devices/16/status", json={})
    inverter = open_vendor("sma").solar_inverter(("16",))
    assert (inverter.power_kw, inverter.recent_production.kwh) == (None, 7.0)
    assert inverter.measured_at == datetime(2026, 6, 17, 12, tzinfo=UTC)


def test_the_newest_row_is_the_latest_up_to_now_wherever_it_is_in_the_list(cloud):
    flows = {"batteryCharging": 2000.0, "batteryDischarging": 500.0, "batteryStateOfCharge": 65.0}
    rows = [("14:05", {"pvGeneration": 3000.0, **flows}), ("14:00", {"pvGeneration": 1.0}), ("14:10", flows)]
    cloud.get(f"{BALANCE}/Recent", json=recent(*rows))
    site = open_vendor("sma").site(("13",))
    assert (site.power_kw, site.bess.soc_percent) == (3.0, 65.0)
    assert (site.charge_kw, site.discharge_kw) == (1.5, 0.0), "a battery that turned round in these five minutes"
    assert site.measured_at == datetime(2026, 6, 17, 12, 5, tzinfo=UTC)


def test_a_site_with_rows_of_an_hour_has_no_power_now_but_its_battery_s_charge(cloud):
    flows = {"batteryCharging": 2000.0, "batteryDischarging": 0.0, "batteryStateOfCharge": 65.0}
    cloud.get(f"{BALANCE}/Recent", json=recent(("14:00", {"pvGeneration": 3e3, **flows}), resolution="OneHour"))
    site = open_vendor("sma").site(("13",))
    assert (site.power_kw, site.charge_kw, site.discharge_kw, site.bess.soc_percent) == (None, None, None, 65.0)


@pytest.mark.parametrize("resolution", [None, "NinetyMinutes"])
@pytest.mark.parametrize(("before", "power_kw"), [("13:00", None), ("13:30", None), ("13:45", 3.0), ("13:55", 3.0)])
def test_rows_of_an_unknown_step_tell_the_power_now_only_if_at_most_a_quarter_apart(
    cloud, resolution, before, power_kw
):
    rows = [(time, {"pvGeneration": 3e3}) for time in (before, "14:00")]
    cloud.get(f"{BALANCE}/Recent", json=recent(*rows, resolution=resolution))
    site = open_vendor("sma").site(("13",))
    assert (site.power_kw, site.measured_at) == (power_kw, datetime(2026, 6, 17, 12, tzinfo=UTC))


def test_the_last_of_two_newest_rows_with_the_same_time_counts(cloud):
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


def test_a_year_that_is_listed_twice_counts_once_in_the_lifetime(cloud):
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
