"""The twelve operations of /virtual/: what they answer, fill in, echo and delete."""

import re

import pytest

from tests.app.virtual.support import DEVICES, ID, KINDS, PAGES, Caller

pytestmark = pytest.mark.databases


def test_a_site_made_from_nothing_is_the_documented_one(virtual):
    site = virtual.create("sites")
    assert ID.fullmatch(site["id"])
    assert re.fullmatch("[0-9a-f]{24}", site["vendorID"])
    expected = {
        "vendor": "virtual",
        "name": "Site 1",
        "operationalSince": "2023-01-01T23:59:00+00:00",
        "batteries": [],
        "solarInverters": [],
    }
    assert {name: site[name] for name in expected} == expected
    assert site["location"] == {
        "lat": 55.8,
        "lon": -4.3,
        "timezone": "Europe/Berlin",
        "currentUTCOffset": site["locationUTCOffset"],
    }
    assert site["locationUTCOffset"] in (1.0, 2.0)
    assert virtual.create("sites")["name"] == "Site 2"


def test_posted_members_of_a_site_come_back(virtual):
    site = virtual.create(
        "sites",
        name="Roof 🏠",
        location={"lat": 39.7, "lon": -105, "timezone": "America/Phoenix", "currentUTCOffset": -7},
        locationUTCOffset=-7,
        operationalSince="2020-05-01T00:00:00.250000",
    )
    assert (site["name"], site["operationalSince"]) == ("Roof 🏠", "2020-05-01T07:00:00.250000+00:00")
    assert site["location"] == {"lat": 39.7, "lon": -105.0, "timezone": "America/Phoenix", "currentUTCOffset": -7.0}
    assert virtual.get(f"/virtual/sites/{site['id']}").json | {"fetchedAt": ""} == site | {"fetchedAt": ""}


def test_a_solar_inverter_has_defaults_and_a_rating(virtual):
    inverter = virtual.create("solar-inverters")
    assert (inverter["name"], inverter["vendor"], inverter["kind"]) == ("Solar inverter 1", "virtual", "string")
    assert inverter["model"]
    assert inverter["serialNumber"]
    assert inverter["ratedPowerKw"] >= 3
    assert "recentProduction" not in inverter
    assert "lifetimeProduction" not in inverter


def test_a_battery_has_defaults(virtual):
    battery = virtual.create("batteries")
    members = ("name", "mode", "nameplateKwh", "stateOfChargePercent", "vendor")
    assert [battery[name] for name in members] == ["Battery 1", "Self Consumption", 10.0, 20.0, "virtual"]


POSTED_INVERTER = {
    "name": "South",
    "model": "M",
    "serialNumber": "S 1",
    "reportedAt": "2024-05-01T12:00:00+02:00",
    "recentProduction": {"kwh": 1.25, "start": "2024-05-01T00:00:00+02:00"},
    "lifetimeProduction": {"kwh": 1000.5, "start": None},
}
POSTED_BATTERY = {
    "name": "Cellar",
    "model": "B",
    "serialNumber": "S 2",
    "reportedAt": "2024-05-01T12:00:00Z",
    "nameplateKwh": 13.5,
    "mode": "Savings",
    "stateOfChargePercent": 0,
}
AS_SHOWN = {
    "reportedAt": {"2024-05-01T12:00:00+02:00": "2024-05-01T10:00:00+00:00",
                   "2024-05-01T12:00:00Z": "2024-05-01T12:00:00+00:00"},
}  # fmt: skip


@pytest.mark.parametrize(("path", "body"), [("solar-inverters", POSTED_INVERTER), ("batteries", POSTED_BATTERY)])
def test_posted_members_of_a_device_come_back_from_every_operation(virtual, path, body):
    device = virtual.create(path, **body)
    expected = body | {"reportedAt": AS_SHOWN["reportedAt"][body["reportedAt"]]}
    if path == "solar-inverters":
        expected["recentProduction"] = {"kwh": 1.25, "start": "2024-04-30T22:00:00+00:00"}
    (listed,) = virtual.get(f"/virtual/{path}").json[PAGES[path]]
    for shown in (device, virtual.get(f"/virtual/{path}/{device['id']}").json, listed):
        assert {name: shown[name] for name in expected} == expected


def test_a_device_stands_at_the_site_that_it_names(virtual):
    site = virtual.create("sites")
    devices = {path: virtual.create(path, siteID=site["id"]) for path in DEVICES}
    assert {device["siteID"] for device in devices.values()} == {site["id"]}
    for path in ("/virtual/sites/", "/sites/"):
        shown = virtual.get(path + site["id"]).json
        assert shown["solarInverters"] == [{"id": devices["solar-inverters"]["id"]}]
        assert shown["batteries"] == [{"id": devices["batteries"]["id"]}]
        assert shown["vendorID"] == site["vendorID"]


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("version", ["v1", "v2024-09-01"])
def test_lists_have_pages_in_every_version(app, path, version):
    caller = Caller(app, "virtual", version)
    ids = {caller.create(path)["id"] for _ in range(5)}
    read, query = [], "pageSize=2"
    while True:
        page = caller.get(f"/virtual/{path}?{query}").json
        assert set(page) <= {PAGES[path], "nextPageToken"}
        read.append([item["id"] for item in page[PAGES[path]]])
        if "nextPageToken" not in page:
            break
        query = f"pageSize=2&pageToken={page['nextPageToken']}"
    assert [len(ids) for ids in read] == [2, 2, 1]
    assert {id for ids in read for id in ids} == ids


def test_a_page_token_of_another_client_is_refused(virtual, other):
    for _ in range(2):
        virtual.create("sites")
    token = virtual.get("/virtual/sites?pageSize=1").json["nextPageToken"]
    answer = other.get(f"/virtual/sites?pageToken={token}")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_page_token")


def test_the_ids_of_deleted_devices_leave_the_table_of_ids(virtual, app):
    services = app.extensions["services"]
    site = virtual.create("sites")
    battery = virtual.create("batteries", siteID=site["id"])
    assert services.id_table.find(battery["id"])
    assert virtual.delete(f"sites/{site['id']}") == 204
    services.id_table._writer.submit(int).result()
    assert [services.id_table.find(item["id"]) for item in (site, battery)] == [None, None]


def test_an_id_that_the_table_has_lost_is_found_again(virtual, app):
    site = virtual.create("sites")
    app.extensions["services"].id_table.forget([site["id"]])
    app.extensions["services"].id_table._writer.submit(int).result()
    assert virtual.get(f"/virtual/sites/{site['id']}").json["id"] == site["id"]
    assert virtual.create("batteries", siteID=site["id"])["siteID"] == site["id"]
