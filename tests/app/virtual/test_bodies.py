"""Bodies of requests: every fault is a 400 that names the member."""

from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo, reset_tzpath

import pytest

from app.virtual import zones
from tests.app.virtual.support import DEVICES, KINDS

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
SITE_FAULTS = [
    ({"name": ""}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "a\x00b"}, "name"),
    ({"name": 5}, "name"),
    ({"name": None}, "name"),
    ({"colour": "red"}, "colour"),
    ({"location": 5}, "location"),
    ({"location": None}, "location"),
    ({"location": {"lat": 90.1}}, "location.lat"),
    ({"location": {"lat": "5"}}, "location.lat"),
    ({"location": {"lat": True}}, "location.lat"),
    ({"location": {"lon": -180.5}}, "location.lon"),
    ({"location": {"timezone": "Europe/Atlantis"}}, "location.timezone"),
    ({"location": {"timezone": "../../etc/passwd"}}, "location.timezone"),
    ({"location": {"timezone": "America"}}, "location.timezone"),
    *(({"location": {"timezone": name}}, "location.timezone")
      for name in ("", "localtime", "Factory", "posixrules", "posix/Europe/Berlin", "right/Europe/Berlin", "tzdata.zi",
                   "leapseconds", "zone.tab", "europe/berlin", "Europe/Berlin ", "/etc/localtime", "EST5EDT4", "\x00")),
    ({"location": {"timezone": "America/Denver", "currentUTCOffset": 1}}, "location.currentUTCOffset"),
    ({"location": {"currentUTCOffset": 5.1}}, "location.currentUTCOffset"),
    ({"location": {"currentUTCOffset": 5, "altitude": 3}}, "location.altitude"),
    ({"location": {"timezone": "America/Denver"}, "locationUTCOffset": 1}, "locationUTCOffset"),
    ({"location": {"currentUTCOffset": -7}, "locationUTCOffset": 9}, "locationUTCOffset"),
    ({"locationUTCOffset": 15}, "locationUTCOffset"),
    ({"locationUTCOffset": "1"}, "locationUTCOffset"),
    ({"operationalSince": "2014-12-31T22:59:59Z"}, "operationalSince"),
    ({"operationalSince": TOMORROW}, "operationalSince"),
    ({"operationalSince": "2020-13-01T00:00:00Z"}, "operationalSince"),
    ({"operationalSince": "2020-01-01"}, "operationalSince"),
    ({"operationalSince": "0001-01-01T00:00:00+14:00"}, "operationalSince"),
    ({"operationalSince": "9999-12-31T23:59:59-12:00"}, "operationalSince"),
    ({"operationalSince": 1577836800}, "operationalSince"),
    ({"id": "site-0000000000000000"}, "id"),
    ({"": 1}, '""'),
    ({"location": {"": 1}}, 'location.""'),
    ({"a b": 1}, '"a b"'),
    ({"name\n": "x"}, '"name\\n"'),
    ({"näme": "x"}, '"n\\u00e4me"'),
    ({"json": {"query": 1}}, "json"),
    ({"n" * 60_000: 1}, f'"{"n" * 50}"'),
]  # fmt: skip
DEVICE_FAULTS = [
    ({"name": "\u2028"}, "name"),
    ({"model": "x" * 201}, "model"),
    ({"model": "\x7f"}, "model"),
    ({"serialNumber": ""}, "serialNumber"),
    ({"serialNumber": "\x1b[31m"}, "serialNumber"),
    ({"siteID": 5}, "siteID"),
    ({"siteID": None}, "siteID"),
    ({"siteID": ""}, "siteID"),
    ({"siteID": "site-0000000000000000"}, "siteID"),
    ({"siteID": "site-" + "\x00" * 16}, "siteID"),
    ({"siteID": "x" * 5000}, "siteID"),
    ({"reportedAt": "yesterday"}, "reportedAt"),
    ({"reportedAt": "2024-05-01T12:00:00"}, "reportedAt"),
    ({"reportedAt": "0001-01-01T00:00:00+14:00"}, "reportedAt"),
    ({"ratedPowerKw": 5}, "ratedPowerKw"),
]
INVERTER_FAULTS = [
    ({"recentProduction": {"kwh": 1}}, "recentProduction.start"),
    ({"recentProduction": {"start": "2024-05-01T00:00:00Z"}}, "recentProduction.kwh"),
    ({"recentProduction": {"kwh": 1, "start": None}}, "recentProduction.start"),
    ({"recentProduction": {"kwh": -1, "start": "2024-05-01T00:00:00Z"}}, "recentProduction.kwh"),
    ({"recentProduction": {"kwh": None, "start": "2024-05-01T00:00:00Z"}}, "recentProduction.kwh"),
    ({"recentProduction": {"kwh": 2e9, "start": "2024-05-01T00:00:00Z"}}, "recentProduction.kwh"),
    ({"recentProduction": []}, "recentProduction"),
    ({"lifetimeProduction": {"kwh": 1}}, "lifetimeProduction.start"),
    ({"lifetimeProduction": {"kwh": 1, "start": "x"}}, "lifetimeProduction.start"),
    ({"lifetimeProduction": {"kwh": 1, "start": None, "end": None}}, "lifetimeProduction.end"),
    ({"mode": "Backup"}, "mode"),
]
BATTERY_FAULTS = [
    ({"nameplateKwh": 0}, "nameplateKwh"),
    ({"nameplateKwh": -5}, "nameplateKwh"),
    ({"nameplateKwh": 2e6}, "nameplateKwh"),
    ({"nameplateKwh": "10"}, "nameplateKwh"),
    ({"stateOfChargePercent": -0.1}, "stateOfChargePercent"),
    ({"stateOfChargePercent": 100.1}, "stateOfChargePercent"),
    ({"stateOfChargePercent": None}, "stateOfChargePercent"),
    ({"mode": "backup"}, "mode"),
    ({"mode": ["Backup"]}, "mode"),
    ({"lifetimeProduction": {"kwh": 1, "start": None}}, "lifetimeProduction"),
]
FAULTS = [
    *(("sites", *fault) for fault in SITE_FAULTS),
    *((path, *fault) for path in DEVICES for fault in DEVICE_FAULTS),
    *(("solar-inverters", *fault) for fault in INVERTER_FAULTS),
    *(("batteries", *fault) for fault in BATTERY_FAULTS),
]


def test_every_fault_of_a_body_is_a_400_that_names_the_member(virtual):
    wrong = []
    for path, body, member in FAULTS:
        answer = virtual.post(path, body)
        if (answer.status_code, answer.json.get("code")) != (400, "validation_error"):
            wrong.append((path, body, answer.status_code, answer.json))
        elif not answer.json["detail"].startswith(f"{member}: "):
            wrong.append((path, body, answer.json["detail"]))
    assert not wrong
    assert virtual.virtual_ids("sites") == []


NO_OBJECTS = [
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"[]", "application/json"),
    (b'"text"', "application/json"),
    (b"null", "application/json"),
    (b"5", "application/json"),
    (b"true", "application/json"),
    (b'{"name": "a", "name": "b"}', "application/json"),
    (b'{"name": NaN}', "application/json"),
    (b'{"name": "\xff"}', "application/json"),
    (b'{"name": "\\ud800"}', "application/json"),
    (b"[" * 60_000, "application/json"),
    (b'{"location":' * 5_000, "application/json"),
    (b"{}", "text/plain"),
    (b"name=x", "application/x-www-form-urlencoded"),
    (b"", None),
]


@pytest.mark.parametrize("path", KINDS)
def test_a_body_that_is_no_json_object_is_a_400(virtual, path):
    for data, kind in NO_OBJECTS:
        answer = virtual.call("POST", f"/virtual/{path}", data=data, content_type=kind)
        assert (answer.status_code, answer.json["code"]) == (400, "validation_error"), data[:20]
        assert "body" in answer.json["detail"].lower()


def test_of_many_faults_the_first_ten_are_named(virtual):
    detail = virtual.post("sites", {f"m{number}": 1 for number in range(2_000)}).json["detail"]
    assert detail.count("There is no such member.") == 10


@pytest.fixture
def _no_zones_of_the_machine():
    reset_tzpath(to=[])
    yield
    reset_tzpath()


@pytest.mark.usefixtures("_no_zones_of_the_machine")
def test_the_zones_that_can_be_chosen_do_not_depend_on_the_machine():
    names = zones.known.__wrapped__()
    assert names == zones.known()
    assert {"Europe/Berlin", "America/Argentina/Buenos_Aires", "US/Eastern", "Etc/GMT+7", "UTC"} <= names
    for name in names:
        ZoneInfo.no_cache(name)


def test_an_unknown_site_and_one_of_another_client_are_refused_with_one_text(virtual, other):
    foreign = other.create("sites")["id"]
    for path in DEVICES:
        answers = [virtual.post(path, {"siteID": id}) for id in (foreign, "site-0000000000000000", "nonsense", foreign)]
        assert [answer.status_code for answer in answers] == [400] * 4
        assert len({answer.json["detail"] for answer in answers}) == 1
    assert virtual.virtual_ids("sites") == []


def test_every_charge_from_0_to_100_works_in_every_mode(virtual):
    for mode, percent in product(["Self Consumption", "Savings", "Backup"], [0, 5, 20, 79.9, 80, 95, 100]):
        battery = virtual.create("batteries", stateOfChargePercent=percent, mode=mode)
        assert (battery["stateOfChargePercent"], battery["mode"]) == (percent, mode)
        shown = virtual.get(f"/batteries/{battery['id']}").json
        assert min(percent, 80) - 0.1 <= shown["stateOfChargePercent"] <= 100
        assert virtual.get(f"/batteries/{battery['id']}/intervals").json["intervals"]


@pytest.mark.parametrize(
    ("body", "zone"),
    [
        ({"location": {"currentUTCOffset": 1}}, "Europe/Berlin"),
        ({"location": {"currentUTCOffset": 2}}, "Europe/Berlin"),
        ({"locationUTCOffset": -7}, "Etc/GMT+7"),
        ({"location": {"currentUTCOffset": 5.5}, "locationUTCOffset": 5.5}, "Asia/Kolkata"),
        ({"locationUTCOffset": 0}, "Etc/UTC"),
        ({"location": {"currentUTCOffset": 14}}, "Etc/GMT-14"),
        ({"location": {"currentUTCOffset": -12}}, "Etc/GMT+12"),
        ({"location": {"timezone": "Australia/Lord_Howe", "currentUTCOffset": 10.5}}, "Australia/Lord_Howe"),
        ({"location": {"timezone": "Australia/Lord_Howe", "currentUTCOffset": 11}}, "Australia/Lord_Howe"),
        ({"location": {"lat": -90, "lon": 180}}, "Europe/Berlin"),
    ],
)
def test_a_posted_offset_chooses_or_confirms_the_zone(virtual, body, zone):
    assert virtual.create("sites", **body)["location"]["timezone"] == zone


def test_every_fractional_zone_has_its_offset_all_year():
    for hours in (*zones.FRACTIONAL, *zones.WHOLE_HOURS):
        for month in (1, 7):
            now = datetime(2026, month, 1, tzinfo=UTC)
            assert zones.has_offset(zones.with_offset(hours), hours, now), hours
    assert zones.with_offset(5.25) is None


@pytest.mark.parametrize(
    ("posted", "shown"),
    [
        ("2015-01-01T00:00:00", "2014-12-31T13:00:00+00:00"),
        ("2015-01-01T00:00:00+11:00", "2014-12-31T13:00:00+00:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_operational_since_begins_with_2015_on_the_sites_clock(virtual, posted, shown):
    site = virtual.create("sites", location={"timezone": "Australia/Sydney"}, operationalSince=posted)
    assert site["operationalSince"] == shown


def test_texts_of_200_characters_and_any_script_are_kept(virtual):
    for name in ("x" * 200, "Ünïcödé 屋根 👨‍👩‍👧", "no\u00a0break", " blank "):
        assert virtual.create("batteries", name=name, model=name, serialNumber=name)["name"] == name
