"""Peculiarities of SMA's lists, ids and redirects."""

import re

import pytest

from tests.vendors.sma.played import sample
from tests.vendors.support import BASE, open_vendor
from vendors.kit import NotFound, Refused
from vendors.kit.calls.sweep import Sweep
from vendors.sma.records import to_device, to_site


def test_a_charging_station_that_is_listed_as_an_inverter_is_left_out():
    station = next(raw for raw in sample("plant_13_devices_lean_sandbox")["devices"] if "Charging" in raw["name"])
    assert station["type"] == "Solar Inverters"
    assert to_device("13", station) is None


def test_equal_serial_numbers_in_two_plants_are_two_inverters():
    keys = {
        to_device(plant, raw).key
        for plant in ("13", "24")
        for raw in sample(f"plant_{plant}_devices_sandbox")["devices"]
        if raw.get("serial") == "3421111"
    }
    assert len(keys) == 2


@pytest.mark.parametrize("active", [False, "false", "False"])
def test_a_device_that_is_no_longer_active_is_left_out(active):
    assert to_device("25056", sample("device_status_swagger_example")["device"] | {"isActive": active}) is None


@pytest.mark.parametrize("name", ["plant_13_sandbox", "plant_with_description"])
def test_the_detail_of_a_plant_is_read_like_a_row_of_the_list(name):
    raw = sample(name)
    site = to_site(raw).record()
    assert (site.vendor_id, site.name, site.timezone) == (raw["plantId"], raw["name"], raw["timezone"])


def test_a_peak_power_of_0_was_not_entered():
    assert to_site(sample("plants_list_with_installation_location")["plants"][1]).record().peak_power_kw is None


def test_a_device_without_a_serial_number_has_an_empty_text():
    raw = {"deviceId": "9", "type": "Solar Inverters", "generatorPower": 5000.0}
    assert to_device("1", raw).record().serial_number == ""


def test_an_account_without_consent_has_no_devices_and_no_error(network):
    network.get(BASE + "/v1/plants", json={"plants": []})
    sweep = Sweep(open_vendor("sma"))
    sweep.run(lambda vendor: vendor.devices())
    assert (sweep.records, sweep.failure) == ([], None)


def test_a_sweep_costs_one_call_and_one_for_each_plant(network):
    network.get(BASE + "/v1/plants", json=sample("plants_list_sandbox"))
    for plant in sample("plants_list_sandbox")["plants"]:
        network.get(BASE + f"/v1/plants/{plant['plantId']}/devices/lean", json={"devices": []})
    list(open_vendor("sma").devices())
    assert len(network.calls) == 1 + 9


def test_a_meter_is_not_found_as_an_inverter(network):
    detail = sample("device_16_detail_sandbox")
    detail["details"]["type"] = "Monitoring and control"
    network.get(BASE + "/v1/devices/16", json=detail)
    with pytest.raises(NotFound):
        open_vendor("sma").solar_inverter(("16",))


def test_a_device_that_moved_is_followed_once_on_the_same_host(network):
    network.get(BASE + "/v1/devices/old", status=308, headers={"Location": f"{BASE}/v1/devices/16"})
    network.get(BASE + "/v1/devices/16", json=sample("device_16_detail_sandbox"))
    network.get(re.compile(f"{BASE}/v1/devices/16/measurements/"), json={"set": []})
    network.get(BASE + "/v1/devices/16/status", json={})
    assert open_vendor("sma").solar_inverter(("old",)).vendor_id == "16"


def test_a_308_is_followed_for_get_only(network):
    network.post(BASE + "/v1/devices/old", status=308, headers={"Location": f"{BASE}/v1/devices/16"})
    vendor = open_vendor("sma")
    with pytest.raises(Refused):
        vendor.client.post_read("/v1/devices/old", body={})
    assert len(network.calls) == 1


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.test/v1/devices/16",
        "https://vendor.test.elsewhere.test/v1/devices/16",
        "https://vendor.test@elsewhere.test/v1",
        "//elsewhere.test/v1/devices/16",
        "http://vendor.test/v1/devices/16",
        "",
    ],
)
def test_a_moved_device_never_leads_to_another_host(network, location):
    network.get(BASE + "/v1/devices/old", status=308, headers={"Location": location})
    with pytest.raises(Exception, match=r"^Bad Gateway: https://vendor\.test/v1/devices/old"):
        open_vendor("sma").solar_inverter(("old",))
    # An empty location is the URL of the call itself, which is then made once more.
    assert len(network.calls) == (2 if location == "" else 1)
