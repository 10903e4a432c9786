"""Whether an inverter or a station has a battery, as counters stay when it is taken away."""

import json

import pytest

from tests.vendors.solis.played import (
    API,
    INVERTER,
    NOW,
    STATION,
    listed,
    milliseconds,
    sample,
    station,
    success,
    with_battery,
)
from tests.vendors.support import open_vendor
from vendors.kit import Battery, Level, NotFound, NotOffered, SolarInverter


@pytest.mark.parametrize("firmware", ["", "-other-firmware"])
def test_an_inverter_that_reports_no_battery_is_no_hybrid_and_its_power_is_its_output(cloud, firmware):
    cloud.post(f"{API}/inverterDetail", json=sample(f"inverterDetail-no-battery{firmware}"))
    cloud.post(f"{API}/stationDetail", json=station())
    inverter = open_vendor("solis").solar_inverter((INVERTER,))
    assert (inverter.kind, inverter.power_kw) == ("string", 2.05)
    with pytest.raises(NotFound):
        open_vendor("solis").battery((INVERTER,))


def test_a_list_makes_no_further_call_for_an_inverter_without_a_battery(cloud):
    cloud.post(f"{API}/inverterList", json=sample("inverterList-no-battery"))
    assert [device.kind for device in open_vendor("solis").devices()] == [SolarInverter]
    assert len(cloud.calls) == 1


def test_a_battery_that_was_taken_away_is_not_listed_although_its_counters_stay(cloud):
    cloud.post(f"{API}/inverterList", json=sample("inverterList-battery-taken-away"))
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-battery-taken-away"))
    cloud.post(f"{API}/stationDetail", json=station())
    assert [device.kind for device in open_vendor("solis").devices()] == [SolarInverter]
    assert open_vendor("solis").solar_inverter((INVERTER,)).kind == "string"
    with pytest.raises(NotFound):
        open_vendor("solis").battery((INVERTER,))
    with pytest.raises(NotOffered):
        open_vendor("solis").site_battery_intervals((STATION,), Level.HOUR)


@pytest.mark.parametrize("detail", [{"status": 502}, {"json": success(with_battery(batteryCapacitySoc=0.0))}])
def test_a_battery_with_a_charge_of_0_stays_listed_unless_the_inverter_reports_no_battery(cloud, detail):
    cloud.post(f"{API}/inverterList", json=sample("inverterList-battery-taken-away"))
    cloud.post(f"{API}/inverterDetail", **detail)
    assert [device.kind for device in open_vendor("solis").devices()] == [SolarInverter, Battery]


def test_a_list_reads_the_details_of_ten_inverters_at_most(cloud):
    (row,) = sample("inverterList-battery-taken-away")["data"]["page"]["records"]
    cloud.post(f"{API}/inverterList", json=listed(*(row | {"id": str(number)} for number in range(30))))
    detail = sample("inverterDetail-battery-taken-away")["data"]

    def answer(request):
        return 200, {}, json.dumps(success(detail | {"id": json.loads(request.body)["id"]}))

    cloud.add_callback("POST", f"{API}/inverterDetail", callback=answer)
    devices = list(open_vendor("solis").devices())
    assert sum(device.kind is Battery for device in devices) == 20
    assert len(cloud.calls) == 1 + 10


@pytest.mark.parametrize(
    ("entries", "batteries"),
    [
        ([{"batteryTypeName": "No Battery"}, {"batteryTypeName": "Pylontech", "battSn": "B1"}], 1),
        ([{"noBattery": True}, {"batteryTypeName": "no  battery"}], 0),
        ([{"noBattery": "true"}], 0),
        ([{"noBattery": 1}, {"noBattery": "1"}], 0),
        ([{"batteryTypeName": "NoBattery"}], 0),
        ([{"noBattery": False, "battSn": ""}], 1),
        (["text", None], 1),
    ],
)
def test_an_inverter_has_a_battery_if_any_place_for_batteries_is_occupied(cloud, entries, batteries):
    cloud.post(f"{API}/inverterDetail", json=success(with_battery(batteryList=entries)))
    if batteries:
        assert open_vendor("solis").battery((INVERTER,)).soc_percent == 55.0
    else:
        with pytest.raises(NotFound):
            open_vendor("solis").battery((INVERTER,))


COUNTERS = {"batteryTotalChargeEnergy": 7332.0, "batteryTotalDischargeEnergy": 6619.0}


AT_REST = {
    "batteryPercent": 0,
    "batteryPowerZheng": 0,
    "batteryPowerFu": 0,
    "batteryPower": 0.0,
    "batteryPowerStr": "kW",
}


@pytest.mark.parametrize(
    ("members", "bess", "charge_kw"),
    [
        (COUNTERS | AT_REST, None, None),
        (COUNTERS, None, None),
        (COUNTERS | AT_REST | {"batteryPercent": 40}, 40.0, 0.0),
        (COUNTERS | AT_REST | {"batteryPowerZheng": 800.0}, "without a charge", 0.8),
    ],
)
def test_a_station_whose_battery_was_taken_away_has_none(cloud, members, bess, charge_kw):
    cloud.post(f"{API}/stationDetail", json=station(dataTimestamp=milliseconds(NOW), **members))
    site = open_vendor("solis").site((STATION,))
    assert site.charge_kw == charge_kw
    assert (site.bess and (site.bess.soc_percent or "without a charge")) == bess
