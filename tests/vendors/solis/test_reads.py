"""Details of Solis' stations and inverters: of another id, of none, and of a time after now."""

from datetime import timedelta

import pytest

from tests.vendors.solis.played import (
    API,
    INVERTER,
    NOW,
    SERIAL,
    STATION,
    milliseconds,
    sample,
    station,
    success,
    with_battery,
)
from tests.vendors.support import open_vendor
from vendors.kit import BadReply, NotFound


def test_another_station_s_answer_is_a_bad_reply(cloud):
    cloud.post(f"{API}/stationDetail", json=station())
    with pytest.raises(BadReply, match="/stationDetail"):
        open_vendor("solis").site(("1300000000000000008",))


def test_a_station_without_an_answer_is_not_found(cloud):
    cloud.post(f"{API}/stationDetail", json=success(None))
    with pytest.raises(NotFound):
        open_vendor("solis").site((STATION,))


def test_another_inverter_s_detail_is_a_bad_reply(cloud):
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-no-battery"))
    with pytest.raises(BadReply, match="/inverterDetail"):
        open_vendor("solis").solar_inverter(("1300000000000000002",))


@pytest.mark.parametrize("id", [{}, {"id": None}, {"id": ""}])
def test_a_detail_without_an_id_is_that_of_the_inverter_in_the_list(cloud, id):
    zeros = {"pac": 0, "pacStr": "kW", "eToday": 0, "eTotal": 0}
    cloud.post(f"{API}/inverterDetail", json=success(zeros | id))
    cloud.post(f"{API}/inverterList", json=sample("inverterList-no-battery"))
    cloud.post(f"{API}/stationDetail", json=station())
    inverter = open_vendor("solis").solar_inverter((INVERTER,))
    assert (inverter.serial_number, inverter.power_kw, inverter.lifetime_production) == (SERIAL, None, None)


def test_inverters_of_another_station_are_a_bad_reply(cloud):
    cloud.post(f"{API}/inverterList", json=sample("inverterList-no-battery"))
    with pytest.raises(BadReply, match="/inverterList"):
        list(open_vendor("solis").devices("1300000000000000008"))


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=1)])
def test_values_of_the_future_are_neither_today_s_nor_the_present_state(cloud, ahead):
    detail = with_battery(dataTimestamp=milliseconds(NOW + ahead), batteryPowerZheng=800.0)
    cloud.post(f"{API}/inverterDetail", json=success(detail))
    of_the_future = {"dataTimestamp": milliseconds(NOW + ahead), "power": 2.0, "powerStr": "kW", "batteryPercent": 55}
    cloud.post(f"{API}/stationDetail", json=station(**of_the_future))
    vendor = open_vendor("solis")
    inverter, battery, site = vendor.solar_inverter((INVERTER,)), vendor.battery((INVERTER,)), vendor.site((STATION,))
    assert (inverter.power_kw, inverter.measured_at, inverter.recent_production) == (None, None, None)
    assert inverter.lifetime_production.kwh == 12_500.0
    assert inverter.status == battery.status == "normal"
    assert (battery.soc_percent, battery.charge_kw, battery.measured_at) == (None, None, None)
    assert (site.power_kw, site.charge_kw, site.measured_at, site.bess.soc_percent) == (None, None, None, None)
