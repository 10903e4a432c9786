"""Requests of the official SDK's tests for virtual devices, and the choice for each point that they leave open.

The first part follows the SDK's tests in their order; tests/test_sdk_virtual.py does the same with the SDK itself.
"""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from app.api.paging import DEFAULT_SIZE
from app.virtual.new import NewBattery, NewSite, NewSolarInverter
from tests.app.support import SMA
from tests.app.virtual.support import DEVICES, KINDS, PAGES, Caller
from tests.vendors.support import HEADERS

V2 = {"api-version": "v2024-09-01"}
MEMBERS = {"sites": "sites", "solar-inverters": "solarInverters", "batteries": "batteries"}


def pages(caller, path, member):
    """The ids of each page of a list, with the default size of pages."""
    token = ""
    while True:
        answer = caller.get(f"{path}{token}", V2)
        assert answer.status_code == 200, answer.text
        yield [item["id"] for item in answer.json[member]]
        if not answer.json.get("nextPageToken"):
            return
        token = f"?pageToken={answer.json['nextPageToken']}"


# Asked by the official tests.


def test_two_clients_of_two_modes_share_one_server(virtual, production, network):
    network.get(f"{SMA}/v1/plants", json={"plants": [{"plantId": "13"}]})
    site = virtual.create("sites")["id"]
    (real,) = production.get("/sites", HEADERS["sma"] | V2).json["sites"]
    assert virtual.ids("sites") == [site]
    assert real["id"] != site
    assert [caller.get(f"/sites/{site}", headers).status_code
            for caller, headers in ((virtual, {}), (production, HEADERS["sma"]))] == [200, 404]  # fmt: skip
    assert virtual.get(f"/sites/{real['id']}").status_code == 404


def test_the_token_comes_from_a_form_with_basic_login(virtual):
    answer = virtual.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=virtual.auth)
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert virtual.http.get("/virtual/sites", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [V2, {"api-version": "v1"}, {}], ids=str)
def test_the_version_may_be_named_or_not(app, headers):
    caller = Caller(app, "virtual", "v1")
    for path in KINDS:
        created = caller.post(path, {}, headers)
        assert created.status_code == 201
        assert caller.get(f"/{path}/{created.json['id']}", headers).status_code == 200
        (listed,) = caller.get(f"/virtual/{path}", headers).json[PAGES[path]]
        assert listed["id"] == created.json["id"]
        assert caller.delete(f"{path}/{created.json['id']}") == 204
        assert caller.get(f"/virtual/{path}", headers).json == {PAGES[path]: []}


@pytest.mark.parametrize("path", DEVICES)
def test_a_device_without_a_site_is_created_and_shown_under_the_ordinary_path(virtual, path):
    created = virtual.create(path, name="hi")
    shown = virtual.get(f"/{path}/{created['id']}", V2).json
    assert (shown["id"], shown["name"], shown["vendor"]) == (created["id"], "hi", "virtual")
    assert shown["siteID"] == created["siteID"]


@pytest.mark.databases
def test_a_new_id_is_at_once_in_the_pages_of_every_list(app, virtual):
    site = NewSite(), [NewSolarInverter(), NewBattery()]
    app.extensions["services"].virtual_fleet.create_sites(virtual.id, [site] * (DEFAULT_SIZE + 1))
    for path in KINDS:
        lists = ((f"/{path}", MEMBERS[path]), (f"/virtual/{path}", PAGES[path]))
        assert [[len(page) for page in pages(virtual, *each)] for each in lists] == [[DEFAULT_SIZE, 1]] * 2
        id = virtual.create(path)["id"]
        for each in lists:
            ids = [id for page in pages(virtual, *each) for id in page]
            assert id in ids
            assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", DEVICES)
def test_intervals_of_yesterday_exist_before_the_device_was_created(virtual, path):
    now = datetime.now(UTC)
    window = {"start": (now - timedelta(hours=25)).isoformat(), "end": (now - timedelta(hours=1)).isoformat()}
    assert re.search(r"\.\d{6}\+00:00$", window["start"])
    device = virtual.create(path, name="hi")["id"]
    answer = virtual.get(f"/{path}/{device}/intervals?{urlencode(window)}", V2)
    assert answer.status_code == 200, answer.text
    assert answer.json["summaryLevel"] == "hour"
    assert len(answer.json["intervals"]) in (24, 25)
    for interval in answer.json["intervals"]:
        start = datetime.fromisoformat(interval["start"])
        assert start.utcoffset() is not None
        assert start < now


@pytest.mark.parametrize("path", KINDS)
def test_a_deletion_has_a_documented_status(virtual, path):
    documented = virtual.get("/openapi.json").json["paths"][f"/virtual/{path}/{{id}}"]["delete"]["responses"]
    assert virtual.delete(f"{path}/{virtual.create(path)['id']}") == 204
    assert "204" in documented


# Left open by the official tests.


@pytest.mark.parametrize("path", KINDS)
def test_names_and_contents_need_not_be_unique(virtual, path):
    body = {"name": "hi"} if path == "sites" else {"name": "hi", "serialNumber": "1", "model": "m"}
    first, second = virtual.create(path, **body), virtual.create(path, **body)
    assert first["name"] == second["name"] == "hi"
    assert first["id"] != second["id"]


@pytest.mark.databases
@pytest.mark.parametrize("path", DEVICES)
def test_a_site_made_for_a_device_is_named_by_number_and_goes_with_its_last_device(virtual, path):
    first = virtual.create(path, name="hi")
    site = virtual.get(f"/virtual/sites/{first['siteID']}").json
    assert site["name"] == "Site 1"
    second = virtual.create("batteries", siteID=first["siteID"])
    assert virtual.delete(f"{path}/{first['id']}") == 204
    assert virtual.virtual_ids("sites") == [first["siteID"]]
    assert virtual.delete(f"batteries/{second['id']}") == 204
    assert virtual.virtual_ids("sites") == virtual.ids("sites") == []


def test_a_site_that_the_client_made_stays_when_its_last_device_goes(virtual):
    site = virtual.create("sites")
    battery = virtual.create("batteries", siteID=site["id"])
    assert virtual.delete(f"batteries/{battery['id']}") == 204
    assert virtual.virtual_ids("sites") == [site["id"]]


@pytest.mark.databases
def test_deleting_a_site_deletes_its_devices_and_no_others(virtual):
    site, stays = virtual.create("sites"), virtual.create("batteries")
    gone = [virtual.create(path, siteID=site["id"]) for path in DEVICES]
    assert virtual.delete(f"sites/{site['id']}") == 204
    assert virtual.ids("sites") == virtual.virtual_ids("sites") == [stays["siteID"]]
    assert virtual.ids("batteries") == virtual.virtual_ids("batteries") == [stays["id"]]
    assert virtual.ids("solar-inverters") == []
    for path, device in zip(DEVICES, gone, strict=True):
        assert virtual.get(f"/virtual/{path}/{device['id']}").status_code == 404
        assert virtual.get(f"/{path}/{device['id']}").status_code == 404


@pytest.mark.parametrize("path", KINDS)
def test_a_second_delete_is_a_404(virtual, path):
    id = virtual.create(path)["id"]
    assert [virtual.delete(f"{path}/{id}"), virtual.delete(f"{path}/{id}")] == [204, 404]


@pytest.mark.parametrize("path", KINDS)
def test_the_answer_to_a_creation_has_the_vendors_id_of_all_further_answers(virtual, path):
    created = virtual.create(path)
    assert re.fullmatch("[0-9a-f]{24}", created["vendorID"])
    for prefix in ("", "/virtual"):
        assert virtual.get(f"{prefix}/{path}/{created['id']}").json["vendorID"] == created["vendorID"]


def test_a_production_client_is_refused_with_a_text_that_names_the_mode(production):
    for path in KINDS:
        for answer in (production.post(path), production.get(f"/virtual/{path}")):
            assert (answer.status_code, answer.json["code"]) == (403, "virtual_mode_required")
            assert "mode virtual" in answer.json["detail"]


@pytest.mark.parametrize("path", KINDS)
def test_an_unknown_member_is_a_400_that_names_it(virtual, path):
    answer = virtual.post(path, {"name": "hi", "colour": "red"})
    assert (answer.status_code, answer.json["detail"]) == (400, "colour: There is no such member.")


def test_the_site_of_another_client_and_a_real_one_are_refused_like_an_unknown_one(virtual, other, production, network):
    network.get(f"{SMA}/v1/plants", json={"plants": [{"plantId": "13"}]})
    (real,) = production.get("/sites", HEADERS["sma"] | V2).json["sites"]
    deleted = virtual.create("sites")["id"]
    virtual.delete(f"sites/{deleted}")
    ids = [real["id"], other.create("sites")["id"], deleted, "site-0000000000000000", "hi"]
    for path in DEVICES:
        answers = [virtual.post(path, {"siteID": id}) for id in ids]
        assert {answer.status_code for answer in answers} == {400}
        (detail,) = {answer.json["detail"] for answer in answers}
        assert detail.startswith("siteID: ")


def test_reported_at_and_recent_production_are_echoed(virtual):
    posted = {"reportedAt": "2024-05-01T10:00:00+00:00",
              "recentProduction": {"kwh": 1.25, "start": "2024-04-30T22:00:00+00:00"}}  # fmt: skip
    created = virtual.create("solar-inverters", **posted)
    for shown in (created, virtual.get(f"/virtual/solar-inverters/{created['id']}").json):
        assert {name: shown[name] for name in posted} == posted


@pytest.mark.parametrize(
    ("posted", "shown"),
    [
        ({}, "2023-01-01T23:59:00+00:00"),
        ({"operationalSince": "2024-01-01T00:00:00"}, "2024-01-01T05:00:00+00:00"),
        ({"operationalSince": "2024-01-01T00:00:00+02:00"}, "2023-12-31T22:00:00+00:00"),
    ],
    ids=["absent", "naive", "with an offset"],
)
def test_operational_since_has_a_default_and_is_on_the_sites_clock(virtual, posted, shown):
    assert virtual.create("sites", location={"timezone": "America/New_York"}, **posted)["operationalSince"] == shown


def test_operational_since_in_the_future_is_a_400(virtual):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    answer = virtual.post("sites", {"operationalSince": tomorrow})
    assert answer.status_code == 400
    assert answer.json["detail"].startswith("operationalSince: ")


@pytest.mark.parametrize(
    ("member", "value"),
    [("stateOfChargePercent", -1), ("stateOfChargePercent", 101), ("nameplateKwh", 0), ("nameplateKwh", -10)],
)
def test_an_impossible_charge_or_nameplate_is_a_400(virtual, member, value):
    answer = virtual.post("batteries", {member: value})
    assert answer.status_code == 400
    assert answer.json["detail"].startswith(f"{member}: ")
