"""SMA's clouds: plants, devices and measurements."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.sma import devices_of, numbers, rows


def test_plants_give_installation_and_location_on_request_only(caller: Caller):
    bare = caller.get("sma", "/v1/plants").json["plants"][0]
    assert set(bare) == {"plantId", "name", "timezone"}
    full = caller.get("sma", "/v1/plants", withinstallation="true", WITHLOCATION="true").json["plants"][0]
    assert full["installation"]["peakPower"] == 1000 * caller.truth()["sites"][0]["pv_kwp"]
    assert full["location"]["address"]["latitude"] == 52.52


def test_plants_can_be_filtered_by_name(caller: Caller):
    assert [plant["name"] for plant in caller.get("sma", "/v1/plants", Filter="delhi").json["plants"]] == ["Delhi 1"]


def test_each_plant_has_devices_that_are_no_inverters(caller: Caller):
    for plant in caller.get("sma", "/v1/plants").json["plants"]:
        devices = caller.get("sma", f"/v1/plants/{plant['plantId']}/devices/lean").json["devices"]
        assert devices[0]["deviceId"] == plant["plantId"]
        chargers = [
            device for device in devices if device["type"] == "Solar Inverters" and "generatorPower" not in device
        ]
        others = [device["product"] for device in devices if device["type"] == "Monitoring and control"]
        assert len(chargers) == 1
        assert others == ["EDMM-10", "Energy Meter"]


def test_ids_are_unique_and_serial_numbers_are_not(caller: Caller):
    plants = [one["plantId"] for one in caller.get("sma", "/v1/plants").json["plants"]]
    devices = [
        device
        for plant in plants
        for device in caller.get("sma", f"/v1/plants/{plant}/devices/lean").json["devices"]
        if device.get("generatorPower")
    ]
    assert len({device["deviceId"] for device in devices}) == len(devices)
    assert len({device["serial"] for device in devices}) < len(devices)


def test_deactivated_devices_are_listed_on_request_only(caller: Caller):
    path = "/v1/plants/11260016/devices/lean"
    assert all(one["isActive"] for one in caller.get("sma", path).json["devices"])
    everything = caller.get("sma", path, WithDeactivatedDevices="true").json["devices"]
    assert [one["deactivatedAt"] for one in everything if not one["isActive"]] == ["2019-04-07T12:30:02"]


def test_the_older_list_repeats_the_plant_and_the_zone(caller: Caller):
    older = caller.get("sma", "/v1/plants/11260000/devices").json
    lean = caller.get("sma", "/v1/plants/11260000/devices/lean").json
    assert older["plant"]["plantId"] == "11260000"
    assert [{**device, "timezone": "Europe/Berlin"} for device in lean["devices"]] == older["devices"]


def test_smas_own_sandbox_answers_below_monitoring_too(caller: Caller):
    plants = caller.get("smasbox", "/monitoring/v1/plants").json["plants"]
    assert plants == caller.get("smasbox", "/v1/plants").json["plants"]
    assert [plant["plantId"] for plant in plants[:3]] == ["13", "24", "35"]
    devices = caller.get("smasbox", "/v1/plants/13/devices/lean").json["devices"]
    assert [device["deviceId"] for device in devices] == [str(number) for number in range(14, 24)]
    assert caller.http.get("/calls/smasbox").json == {
        "/monitoring/v1/plants": 1,
        "/v1/plants": 1,
        "/v1/plants/13/devices/lean": 1,
    }


def test_device_and_status_wrap_the_list_entry(caller: Caller):
    device = devices_of(caller, 0, "solar_inverter")[0]["deviceId"]
    detail = caller.get("sma", f"/v1/devices/{device}").json
    assert detail["plant"]["plantId"] == "11260000"
    assert detail["details"]["generatorPower"] == 5700.0
    assert caller.get("sma", f"/v1/devices/{device}/status").json["device"]["status"] == "Ok"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/plants/1",
        "/v1/plants/1/devices/lean",
        "/v1/devices/1",
        "/v1/devices/11260001/measurements/sets/EnergyAndPowerBattery/Recent",
        "/v1/devices/11260000/measurements/sets/EnergyAndPowerPv/Recent",
    ],
)
def test_what_is_unknown_or_not_offered_is_not_found(caller: Caller, path: str):
    answer = caller.get("sma", path)
    assert (answer.status_code, answer.json["code"]) == (404, "NotFound")


@pytest.mark.parametrize(
    ("period", "date"),
    [("Day", ""), ("Day", "21.06.2026"), ("Month", "2026-06-21"), ("Year", "26"), ("Hour", "2026-06-21")],
)
def test_a_bad_date_or_period_is_a_bad_request(caller: Caller, period: str, date: str):
    answer = caller.get("sma", f"/v1/devices/11260001/measurements/sets/EnergyAndPowerPv/{period}", Date=date)
    assert answer.status_code == 400


def test_a_data_manager_offers_no_sets(caller: Caller):
    assert caller.get("sma", "/v1/devices/11260000/measurements/sets").json["sets"] == []
    inverter = caller.get("sma", "/v1/devices/11260001/measurements/sets").json["sets"]
    assert inverter == ["EnergyAndPowerPv", "PowerDc", "PowerAc"]
    assert caller.get("smasbox", "/v1/devices/16/measurements/sets").json["sets"] == ["Sensor", *inverter]


@pytest.mark.parametrize("period", ["Recent", "Day", "Month", "Total"])
def test_every_set_that_a_device_offers_can_be_read(caller: Caller, period: str):
    seen = set()
    for device in caller.get("sma", "/v1/plants/11260000/devices/lean").json["devices"]:
        path = f"/v1/devices/{device['deviceId']}/measurements/sets"
        for name in caller.get("sma", path).json["sets"]:
            answer = caller.get("sma", f"{path}/{name}/{period}", Date={"Month": "2026-06"}.get(period, "2026-06-20"))
            assert (answer.status_code, answer.json["setType"]) == (200, name)
            assert all(numbers(value) for row in answer.json["set"] for key, value in row.items() if key != "time")
            assert answer.json["set"] or (name in ("PowerAc", "PowerDc", "EnergyMix") and period in ("Month", "Total"))
            seen.add(name)
    assert {"EnergyAndPowerBattery", "EnergyAndPowerInOut", "EnergyMix", "PowerAc", "PowerDc"} <= seen


def test_the_sets_of_a_device_agree(caller: Caller):
    path = "/v1/devices/11260001/measurements/sets"
    produced, ac, dc = (rows(caller, f"{path}/{name}/Recent")[0] for name in ("EnergyAndPowerPv", "PowerAc", "PowerDc"))
    assert ac["activePower"] == produced["pvGeneration"] > 0
    assert sum(one["value"] for one in dc["dcPowerInput"]) == pytest.approx(produced["pvGeneration"], abs=0.01)
    (battery,) = devices_of(caller, 0, "battery")
    path = f"/v1/devices/{battery['deviceId']}/measurements/sets"
    pack, ac = (rows(caller, f"{path}/{name}/Recent")[0] for name in ("EnergyAndPowerBattery", "PowerAc"))
    assert ac["activePower"] == pytest.approx(pack["batteryDischarging"] - pack["batteryCharging"], abs=0.01)


def test_an_inverter_without_a_sensor_has_no_rows_of_one(caller: Caller):
    assert caller.get("smasbox", "/v1/devices/16/measurements/sets/Sensor/Recent").json["set"] == []


def test_the_detail_of_a_battery_inverter_has_the_capacity_in_wh(caller: Caller):
    (battery,) = devices_of(caller, 0, "battery")
    detail = caller.get("sma", f"/v1/devices/{battery['deviceId']}").json["details"]
    assert detail["batteryCapacity"] == 1000 * caller.truth()["sites"][0]["battery"]["capacity_kwh"]
    assert "batteryCapacity" not in caller.get("sma", "/v1/devices/11260001").json["details"]


@pytest.mark.parametrize(("resolution", "minutes"), [("OneMinute", 1), ("FifteenMinutes", 15), ("OneHour", 60)])
@pytest.mark.parametrize("number", [0, 2])
def test_rows_may_last_longer_or_shorter_on_the_plant_s_clock(caller: Caller, resolution, minutes, number):
    caller.http.put("/options/sma", json={"resolution": resolution})
    device = devices_of(caller, number, "solar_inverter")[0]["deviceId"]
    path = f"/v1/devices/{device}/measurements/sets/EnergyAndPowerPv/Day"
    answer = caller.get("sma", path, Date="2026-06-19", ReturnEnergyValues="true").json
    assert answer["resolution"] == resolution
    ends = [datetime.fromisoformat(row["time"]) for row in answer["set"]]
    assert {after - before for before, after in pairwise(ends)} == {timedelta(minutes=minutes)}
    assert all(end.hour * 60 + end.minute % minutes == end.hour * 60 for end in ends)
    day = {"start": "2026-06-19", "end": "2026-06-20"}
    zone = ZoneInfo(caller.truth()["sites"][number]["timezone"])
    span = {name: datetime.fromisoformat(date).replace(tzinfo=zone).isoformat() for name, date in day.items()}
    total = sum(row["pvGeneration"] for row in answer["set"])
    assert total == caller.energy_wh(site=number, vendor="sma", device=device, **span)


@pytest.mark.parametrize("number", [1, 2])
def test_the_rows_of_a_day_add_up_to_the_truth_of_that_local_day(caller: Caller, number: int):
    zone = ZoneInfo(caller.truth()["sites"][number]["timezone"])
    start = datetime(2026, 6, 19, tzinfo=zone)
    device = devices_of(caller, number, "solar_inverter")[0]
    path = f"/v1/devices/{device['deviceId']}/measurements/sets/energyandpowerpv/day"
    found = rows(caller, path, date="2026-06-19", returnenergyvalues="true")
    truth = caller.energy_wh(
        site=number,
        vendor="sma",
        device=device["deviceId"],
        start=start.isoformat(),
        end=(start + timedelta(days=1)).isoformat(),
    )
    assert sum(row["pvGeneration"] for row in found) == truth > 0
    for row in found[::20]:
        end = datetime.fromisoformat(row["time"]).replace(tzinfo=zone)
        span = {"start": (end - timedelta(minutes=5)).isoformat(), "end": end.isoformat()}
        assert row["pvGeneration"] == caller.energy_wh(site=number, vendor="sma", device=device["deviceId"], **span)


def test_the_rows_of_a_day_sum_to_the_row_of_its_month_and_the_total_of_all(caller: Caller):
    path = "/v1/devices/11260001/measurements/sets/EnergyAndPowerPv"
    day = rows(caller, f"{path}/Day", Date="2026-06-19", ReturnEnergyValues="true")
    month = {row["time"]: row["pvGeneration"] for row in rows(caller, f"{path}/Month", Date="2026-06")}
    year = {row["time"]: row["pvGeneration"] for row in rows(caller, f"{path}/Year", Date="2026")}
    whole = caller.get("sma", f"{path}/Total", WithTotal="true").json
    assert sum(row["pvGeneration"] for row in day) == month["2026-06-19T00:00:00"]
    assert list(month)[-1] == "2026-06-21T00:00:00"
    assert sum(month.values()) == year["2026-06-01T00:00:00"]
    assert whole["set"][-1]["pvGeneration"] == sum(year.values())
    assert whole["total"]["pvGeneration"] == sum(row["pvGeneration"] for row in whole["set"])


def test_a_day_of_an_inverter_has_no_night_and_gives_watts_unless_asked_for_energy(caller: Caller):
    path = "/v1/devices/11260001/measurements/sets/EnergyAndPowerPv/Day"
    watts, energy = (rows(caller, path, Date="2026-06-19", **extra) for extra in ({}, {"ReturnEnergyValues": "true"}))
    assert watts[0]["time"] > "2026-06-19T04:00:00"
    assert watts[-1]["time"] < "2026-06-19T22:00:00"
    assert [row["time"] for row in watts] == [row["time"] for row in energy]
    assert sum(row["pvGeneration"] for row in watts) / 12 == pytest.approx(
        sum(row["pvGeneration"] for row in energy), abs=1
    )


def test_the_day_of_a_battery_runs_from_five_past_midnight_to_midnight(caller: Caller):
    device = devices_of(caller, 0, "battery")[0]["deviceId"]
    path = f"/v1/devices/{device}/measurements/sets/EnergyAndPowerBattery/Day"
    found = rows(caller, path, Date="2026-06-20")
    assert (len(found), found[0]["time"], found[-1]["time"]) == (288, "2026-06-20T00:05:00", "2026-06-21T00:00:00")
    assert all(0 <= row["batteryStateOfCharge"] <= 100 for row in found)
    doubled = rows(caller, path, Date="2025-10-26")
    assert len(doubled) == 300
    assert sum(row["time"] == "2025-10-26T02:30:00" for row in doubled) == 2


def test_the_plants_balance_holds_in_every_row(caller: Caller):
    found = rows(caller, "/v1/plants/11260000/measurements/sets/EnergyBalance/Day", Date="2026-06-20")
    assert len(found) == 288
    for row in found:
        supplied = row["pvGeneration"] + row["batteryDischarging"] + row["gridConsumption"]
        assert supplied == pytest.approx(row["totalConsumption"] + row["batteryCharging"] + row["gridFeedIn"], abs=0.01)


def test_a_plant_without_battery_has_no_battery_members(caller: Caller):
    row = rows(caller, "/v1/plants/11260016/measurements/sets/EnergyBalance/Recent")[0]
    assert not any(name.startswith("battery") for name in row)


def test_nothing_younger_than_the_lag_is_served_and_the_night_is_empty(caller: Caller):
    path = "/v1/devices/11260001/measurements/sets/EnergyAndPowerPv/Recent"
    caller.set_clock("2026-06-21T12:07:00+02:00")
    assert [row["time"] for row in rows(caller, path)] == ["2026-06-21T12:00:00"]
    caller.set_clock("2026-06-21T01:00:00+02:00")
    assert rows(caller, path) == []


def test_no_row_is_older_than_the_plant(caller: Caller):
    began = datetime.fromisoformat(caller.truth()["sites"][0]["operational_since"]).astimezone(UTC)
    caller.set_clock((began + timedelta(hours=2)).isoformat())
    path = "/v1/devices/11260001/measurements/sets/EnergyAndPowerPv"
    day = rows(caller, f"{path}/Day", Date=f"{began:%Y-%m-%d}")
    assert day[0]["time"] > (began.astimezone(ZoneInfo("Europe/Berlin"))).replace(tzinfo=None).isoformat()
    assert len(rows(caller, f"{path}/Total")) == 1
    assert rows(caller, f"{path}/Month", Date="2020-01") == []
