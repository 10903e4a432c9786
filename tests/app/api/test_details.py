"""One site or device: what stands in the answer, and what is left out."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.app.support import SMA
from tests.vendors.support import HEADERS

NOW = datetime(2026, 6, 17, 11, 22, tzinfo=UTC)
INVERTER = {"deviceId": "131", "type": "Solar Inverters", "generatorPower": 6000.0, "startUpUtc": "2020-01-01T00:00:00"}
BATTERY = {"deviceId": "132", "type": "Battery Inverter", "serial": "9"}
PLANT = {
    "plantId": "13",
    "name": "Roof ",
    "timezone": "Asia/Kathmandu",
    "installation": {"peakPower": 6200.0, "startUpUtc": "2020-01-01T00:00:00"},
    "location": {"address": {"latitude": 27.7, "longitude": 85.3}},
}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


class Plant:
    """SMA's answers about one plant; what a test wants otherwise it sets before it reads."""

    def __init__(self, network):
        self.network = network
        self.set = {"pvGeneration": 1234.5678, "batteryCharging": 0.0, "batteryDischarging": 800.0,
                    "batteryStateOfCharge": 55.55}  # fmt: skip
        self.time = "2026-06-17T17:00:00"
        self.devices = {"devices": [INVERTER, BATTERY]}

    def answers(self):
        rows = {"set": [{"time": self.time} | self.set], "plant": PLANT}
        self.network.get(f"{SMA}/v1/plants", json={"plants": [PLANT]})
        self.network.get(f"{SMA}/v1/plants/13/devices/lean", json=self.devices)
        self.network.get(f"{SMA}/v1/plants/13/measurements/sets/EnergyBalance/Recent", json=rows)
        for device in (INVERTER, BATTERY):
            path = f"{SMA}/v1/devices/{device['deviceId']}"
            self.network.get(path, json={"plant": PLANT, "details": device})
            self.network.get(f"{path}/status", json={"device": {"status": "Warning"}})
        battery = f"{SMA}/v1/devices/132/measurements/sets/EnergyAndPowerBattery/Recent"
        self.network.get(battery, json=rows)
        solar = f"{SMA}/v1/devices/131/measurements/sets/EnergyAndPowerPv"
        produced = [{"time": self.time, "pvGeneration": 250.0}]
        energies = {"resolution": "FiveMinutes", "set": produced, "plant": PLANT}
        self.network.get(f"{solar}/Day", json=energies)
        self.network.get(f"{solar}/Total", json={"total": {"pvGeneration": 1.5e6}})


@pytest.fixture
def plant(network):
    return Plant(network)


@pytest.fixture
def read(get, plant):
    """Reads the only site or device of a kind."""

    def read_only_one(kind, **headers):
        plant.answers()
        (url,) = get(f"/{kind}", headers=HEADERS["sma"]).json[kind]
        return get(f"/{kind}/{url.rpartition('/')[2]}", headers=HEADERS["sma"] | headers)

    return read_only_one


def test_a_site_has_its_location_its_devices_and_its_present_power(read):
    site = read("sites").json
    (inverter,), (battery,) = site.pop("solarInverters"), site.pop("batteries")
    assert (inverter["id"][:5], battery["id"][:5], site.pop("id")[:5]) == ("solr-", "batt-", "site-")
    assert site == {
        "vendor": "sma",
        "vendorID": "13",
        "name": "Roof",
        "locationUTCOffset": 5.75,
        "location": {"lat": 27.7, "lon": 85.3, "timezone": "Asia/Kathmandu", "currentUTCOffset": 5.75},
        "operationalSince": "2020-01-01T00:00:00+00:00",
        "bess": {"stateOfChargePercent": 55.5},
        "peakPowerKw": 6.2,
        "powerKw": 1.235,
        "chargeKw": 0.0,
        "dischargeKw": 0.8,
        "measuredAt": "2026-06-17T11:15:00+00:00",
        "fetchedAt": "2026-06-17T11:22:00+00:00",
    }


def test_the_devices_of_a_site_can_be_read_with_its_ids_alone(read, get):
    site = read("sites").json
    for kind, summaries in (("solar-inverters", site["solarInverters"]), ("batteries", site["batteries"])):
        device = get(f"/{kind}/{summaries[0]['id']}", headers=HEADERS["sma"]).json
        assert device["siteID"] == site["id"]


def test_an_inverter_has_its_productions_and_the_vendors_own_status(read):
    inverter = read("solar-inverters").json
    assert inverter["recentProduction"] == {"kwh": 0.25, "start": "2026-06-16T18:15:00+00:00"}
    assert inverter["lifetimeProduction"] == {"kwh": 1500.0, "start": "2020-01-01T00:00:00+00:00"}
    assert (inverter["status"], inverter["vendorStatus"]) == ("warning", "Warning")
    assert (inverter["powerKw"], inverter["ratedPowerKw"]) == (3.0, 6.0)
    assert inverter["reportedAt"] == "2026-06-17T11:22:00+00:00"


def test_a_battery_has_two_powers_and_a_state_of_charge(read):
    battery = read("batteries").json
    assert (battery["chargeKw"], battery["dischargeKw"], battery["stateOfChargePercent"]) == (0.0, 0.8, 55.5)
    assert battery["serialNumber"] == "9"


@pytest.mark.parametrize(("minutes", "is_there"), [(35, True), (36, False)])
def test_old_power_is_left_out_and_its_time_stays(read, plant, minutes, is_there):
    at = NOW - timedelta(minutes=minutes)
    plant.time = (at + timedelta(hours=5, minutes=45)).replace(tzinfo=None).isoformat()
    for kind, name in (("sites", "powerKw"), ("solar-inverters", "powerKw"), ("batteries", "dischargeKw")):
        members = read(kind).json
        assert (name in members) is is_there
        assert datetime.fromisoformat(members["measuredAt"]) == at


def test_values_that_the_vendor_does_not_report_are_left_out_and_never_0(read, plant):
    plant.set = {}
    plant.time = None
    site, battery = read("sites").json, read("batteries").json
    for members in (site, battery):
        assert not {"powerKw", "chargeKw", "dischargeKw", "stateOfChargePercent", "measuredAt", "bess"} & set(members)
    assert None not in [*site.values(), *battery.values()]


def test_a_site_whose_devices_cannot_be_listed_is_an_error_and_not_an_empty_site(get, plant, network):
    network.get(f"{SMA}/v1/plants/13/devices/lean", status=403)
    plant.answers()
    (url,) = get("/sites", headers=HEADERS["sma"]).json["sites"]
    answer = get(f"/sites/{url.rpartition('/')[2]}", headers=HEADERS["sma"])
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_a_device_whose_status_cannot_be_read_is_returned_with_the_failure(read, plant, network):
    network.get(f"{SMA}/v1/devices/131/status", status=403)
    answer = read("solar-inverters")
    assert answer.status_code == 200
    assert not {"status", "vendorStatus"} & set(answer.json)
    assert {"powerKw", "recentProduction", "lifetimeProduction"} < set(answer.json)
    assert answer.json["errors"] == {"sma": f"Forbidden: {SMA}/v1/devices/131/status"}
    assert answer.json["errorDetails"]["sma"]["code"] == "forbidden"


def test_a_device_that_cannot_be_read_is_reported_and_the_others_are_listed(read, plant):
    plant.devices = {"devices": [INVERTER, BATTERY, {"type": "Solar Inverters"}]}
    site = read("sites").json
    assert len(site["solarInverters"]) == 1
    assert site["errors"]["sma"].startswith("Bad Gateway: ")


def test_without_a_time_zone_a_site_has_no_location_and_the_offset_0(get, network):
    tesla = "https://fleet-api.prd.na.vn.cloud.tesla.com/api/1"
    product = {"energy_site_id": 1, "components": {"solar": True}}
    network.get(f"{tesla}/products", json={"response": [product]})
    network.get(f"{tesla}/energy_sites/1/site_info", json={"response": {"components": {"solar": True}}})
    network.get(f"{tesla}/energy_sites/1/live_status", json={"response": {}})
    (url,) = get("/sites", headers=HEADERS["tesla"]).json["sites"]
    site = get(f"/sites/{url.rpartition('/')[2]}", headers=HEADERS["tesla"]).json
    assert (site["locationUTCOffset"], site["name"]) == (0.0, "1")
    assert "bess" not in site


def test_lists_of_all_kinds_have_both_versions(get, plant):
    plant.answers()
    for path, v1, v2 in (
        ("/sites", "sites", "sites"),
        ("/solar-inverters", "solar-inverters", "solarInverters"),
        ("/batteries", "batteries", "batteries"),
    ):
        (url,) = get(path, headers=HEADERS["sma"]).json[v1]
        answer = get(path, headers=HEADERS["sma"] | {"api-version": "v2024-09-01"}).json
        assert answer == {v2: [{"id": url.rpartition("/")[2]}], "errors": {}}
        assert url.startswith(f"http://localhost{path}/")


def test_sites_take_the_filters_of_sites(get, plant):
    plant.answers()
    assert len(get("/sites?vendorID=13", headers=HEADERS["sma"]).json["sites"]) == 1
    assert get("/sites?vendorID=14", headers=HEADERS["sma"]).json["sites"] == []
    assert get("/sites?vendorSiteID=13", headers=HEADERS["sma"]).status_code == 400


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", 7, None])
def test_a_time_zone_that_does_not_exist_counts_as_not_reported(read, plant, monkeypatch, zone):
    monkeypatch.setitem(PLANT, "timezone", zone)
    plant.set = {}
    plant.time = None
    answer = read("sites")
    assert (answer.status_code, answer.json["locationUTCOffset"]) == (200, 0.0)
    assert "location" not in answer.json
