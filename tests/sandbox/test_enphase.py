"""Enphase's Monitoring API: systems, devices, inverters, events, and errors."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from sandbox import create_app
from tests.sandbox.callers import Caller, Clocks
from tests.sandbox.enphase import FIRST, MONITORING, Enphase, system_id

LIST = "/api/v4/systems"
SUMMARY = f"{LIST}/inverters_summary_by_envoy_or_site"
BIG = 2


@pytest.fixture
def cloud(caller: Caller) -> Enphase:
    return Enphase(caller, MONITORING)


@pytest.fixture(scope="module")
def many() -> Enphase:
    clocks = Clocks(datetime(2026, 6, 21, 12, tzinfo=UTC).timestamp())
    app = create_app(101, real_time=clocks.real_time, ticks=clocks.monotonic)
    return Enphase(Caller(app.test_client(), clocks), MONITORING)


def details(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["details"]


@pytest.mark.parametrize(
    ("query", "size", "count"),
    [
        ({}, 10, 10),
        ({"size": 100}, 100, 100),
        ({"size": 100, "page": 2}, 100, 1),
        ({"size": 1000}, 100, 100),
        ({"size": 100, "page": 3}, 100, 0),
        ({"size": 7, "page": 15}, 7, 3),
    ],
)
def test_systems_come_in_pages_of_10_and_never_more_than_100(many: Enphase, query: dict, size: int, count: int):
    answer = many.get(LIST, **query).json
    assert answer["total"] == 101
    assert (answer["current_page"], answer["size"], answer["count"]) == (query.get("page", 1), size, count)
    assert len(answer["systems"]) == count


def test_systems_are_ordered_by_id_upwards_unless_asked_otherwise(many: Enphase):
    def ids(**query: Any) -> list[int]:
        return [system["system_id"] for system in many.get(LIST, size=100, **query).json["systems"]]

    assert ids() == ids(sort_by="id") == [system_id(number) for number in range(100)]
    assert ids(sort_by="-id") == [system_id(number) for number in range(100, 0, -1)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"sort_by": "name"}, "The sorting parameter is not supported"),
        ({"size": 0}, "Invalid size 0"),
        ({"page": "x"}, "Invalid page x"),
    ],
)
def test_what_cannot_be_listed_is_unprocessable(cloud: Enphase, query: dict, text: str):
    status, found = details(cloud.get(LIST, **query))
    assert status == 422
    assert text in found


def test_a_trailing_slash_lists_too(cloud: Enphase):
    assert cloud.get(f"{LIST}/").json == cloud.get(LIST).json


def test_a_system_has_the_dead_fields_and_no_street(cloud: Enphase):
    listed = cloud.get(LIST).json["systems"][1]
    assert listed == cloud.get(f"{LIST}/{FIRST + 7}").json
    assert (listed["energy_lifetime"], listed["energy_today"], listed["system_size"]) == (-1, -1, -1)
    assert set(listed["address"]) == {"city", "state", "country", "postal_code"}
    assert "reference" not in listed
    assert listed["operational_at"] == datetime.fromisoformat("2016-12-16T13:50:00-07:00").timestamp()


def test_only_the_installers_application_sees_references(caller: Caller):
    assert "reference" in Enphase(caller, MONITORING).system_json(0, "")
    assert "reference" not in Enphase(caller, MONITORING, "watt").system_json(0, "")


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, list(range(8))),
        ({"ids": [system_id(3), system_id(1)]}, [1, 3]),
        ({"name": "e"}, [0, 1, 2, 3, 4]),
        ({"name": ""}, list(range(8))),
        ({"reference": "REF-00004"}, [4]),
        ({"other_reference": "ref"}, []),
        ({"statuses": ["comm"]}, []),
    ],
)
def test_a_search_finds_what_all_its_filters_match(cloud: Enphase, wanted: dict, numbers: list[int]):
    answer = cloud.caller.http.post(f"/enphase{LIST}/search", headers=cloud.headers, json={"system": wanted})
    assert [system["system_id"] for system in answer.json["systems"]] == [system_id(number) for number in numbers]
    assert all("city" not in system["address"] for system in answer.json["systems"])


@pytest.mark.parametrize("body", [{}, {"system": []}, {"system": {"colour": "red"}}, {"system": {}, "page": 1}, []])
def test_a_search_must_be_well_formed(cloud: Enphase, body: Any):
    assert cloud.caller.http.post(f"/enphase{LIST}/search", headers=cloud.headers, json=body).status_code == 422


def test_wrong_methods_have_an_envelope_of_their_own(cloud: Enphase):
    def answer(method: str, path: str) -> tuple[int, Any]:
        found = cloud.caller.http.open(f"/enphase{path}", method=method, headers=cloud.headers)
        return found.status_code, found.json

    refused = (405, {"reason": "405", "message": ["Method not allowed"]})
    assert answer("PUT", LIST) == answer("GET", f"{LIST}/search") == refused
    assert answer("BREW", LIST) == (501, {"reason": "501", "message": ["Not Implemented"]})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/1", 'System not found for {:id=>"1"}'),
        ("/x/devices", 'System not found for {:id=>"x"}'),
        (f"/{FIRST}/devices/micros/1/telemetry", 'Micro not found for {:id=>"1"}'),
        (f"/{FIRST}/devices/encharges/1/telemetry", 'Encharge not found for {:id=>"1"}'),
        ("/event_types?event_type_id=1", 'Event type not found for {:id=>"1"}'),
        ("/retrieve_system_id?serial_num=1", "Envoy not found with this serial number"),
    ],
)
def test_what_is_unknown_is_not_found(cloud: Enphase, path: str, text: str):
    assert details(cloud.get(LIST + path)) == (404, text)


def test_devices_agree_with_the_truth_and_types_without_devices_are_absent(cloud: Enphase):
    for view in cloud.caller.truth()["views"][MONITORING]:
        answer = cloud.system_json(view["number"], "/devices")
        devices = answer["devices"]
        assert all(devices.values())
        assert answer["total_devices"] == sum(map(len, devices.values()))
        listed = devices["micros"] + devices.get("encharges", []) + devices.get("acbs", [])
        truth = [(one["serial"], one["name"], one["model"]) for one in view["devices"]]
        assert [(one["serial_number"], one["name"], one["model"] or one["product_name"]) for one in listed] == truth
        native = [{"system_id": view["site"], "serial_number": one["serial"]} for one in view["devices"]]
        assert [one["ids"] for one in view["devices"]] == native


def test_there_is_one_microinverter_for_each_350_watts(cloud: Enphase):
    for site in cloud.caller.truth()["sites"]:
        count = len(cloud.system_json(site["number"], "/devices")["devices"]["micros"])
        assert abs(350 * count - 1000 * site["pv_kwp"]) <= 175
        assert cloud.system_json(site["number"], "/summary")["modules"] == count


def test_serial_numbers_are_unique_and_only_ac_batteries_share_an_id(cloud: Enphase):
    devices = [cloud.system_json(number, "/devices")["devices"] for number in range(8)]
    entries = [entry for device in devices for name in device if name != "acbs" for entry in device[name]]
    acbs = [entry for device in devices for entry in device.get("acbs", [])]
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert len({entry["serial_number"] for entry in entries + acbs}) == len(entries + acbs)
    assert len(acbs) > 1
    assert len({entry["id"] for entry in acbs}) == 1
    assert {len(entry["serial_number"]) for entry in entries + acbs} == {12, 16}


def test_the_summary_of_inverters_pages_over_all_gateways(cloud: Enphase):
    serials = [micro["serial_number"] for micro in cloud.system_json(BIG, "/devices")["devices"]["micros"]]
    pages = [cloud.get(SUMMARY, site_id=system_id(BIG), size=100, page=page).json for page in (1, 2, 3, 4)]
    found = [[micro["serial_number"] for group in page for micro in group["micro_inverters"]] for page in pages]
    assert [len(page) for page in found] == [100, 100, 31, 0]
    assert list(chain(*found)) == serials
    assert [len(page) for page in pages] == [1, 2, 1, 0]
    assert len(cloud.get(SUMMARY, site_id=system_id(BIG)).json[0]["micro_inverters"]) == 10


def test_the_summary_of_inverters_takes_a_gateway_first_and_needs_one_of_both(cloud: Enphase):
    gateway = cloud.system_json(BIG, "/devices")["devices"]["gateways"][1]["serial_number"]
    (group,) = cloud.get(SUMMARY, envoy_serial_number=gateway, site_id=FIRST, size=100).json
    assert len(group["micro_inverters"]) == 81
    assert {micro["envoy_serial_number"] for micro in group["micro_inverters"]} == {gateway}
    assert details(cloud.get(SUMMARY)) == (422, "Envoy serial number or Site id mandatory")
    assert cloud.get(SUMMARY, site_id=1).json == []
    assert cloud.get(f"{LIST}/retrieve_system_id", serial_num=gateway).json == {"system_id": system_id(BIG)}


def test_power_comes_in_both_forms_and_energy_is_that_of_a_lifetime(cloud: Enphase):
    cloud.caller.set_clock("2026-06-21T11:25:00Z")
    (group,) = cloud.get(SUMMARY, site_id=FIRST, size=100).json
    first, second = group["micro_inverters"][:2]
    assert first["power_produced"]["units"] == "W"
    assert isinstance(second["power_produced"], int)
    end = datetime(2026, 6, 21, 11, tzinfo=UTC).timestamp()
    assert first["last_report_date"] == end
    lifetime = cloud.energy_wh(0, 0, end, device=first["serial_number"])
    assert first["energy"] == {"value": lifetime, "units": "Wh", "precision": 0}
    row = cloud.system_json(0, f"/devices/micros/{second['serial_number']}/telemetry")["intervals"][-1]
    assert (row["end_at"], row["powr"]) == (end, second["power_produced"])


def test_at_night_microinverters_have_the_power_and_the_time_of_dusk(cloud: Enphase):
    cloud.caller.set_clock("2026-06-21T23:30:00Z")
    (group,) = cloud.get(SUMMARY, site_id=FIRST, size=100).json
    reported = datetime.fromtimestamp(group["micro_inverters"][0]["last_report_date"], UTC)
    for micro in group["micro_inverters"][1::2]:
        device = {"vendor": "enphase", "device": micro["serial_number"]}
        watts = 1000 * cloud.caller.state(site=0, at=reported.isoformat(), **device)["power_kw"]
        assert micro["power_produced"] == round(watts) > 0
    assert datetime(2026, 6, 21, 17, tzinfo=UTC) < reported < datetime(2026, 6, 21, 20, tzinfo=UTC)


def test_the_fleet_is_well(cloud: Enphase):
    week = int(cloud.caller.clocks.now) - 7 * 86_400
    for number in range(8):
        assert cloud.system_json(number, "")["status"] == "normal"
        assert (
            cloud.system_json(number, "/open_events")["events"]
            == cloud.system_json(number, "/open_alarms")["alarms"]
            == []
        )
        span = {"start_time": week, "end_time": week + 7 * 86_400}
        assert (
            cloud.system_json(number, "/events", **span)["events"]
            == cloud.system_json(number, "/alarms", **span)["alarms"]
            == []
        )
    assert len(cloud.get(f"{LIST}/event_types").json["event_types"]) == 2


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (lambda now: {}, "start_time is required"),
        (lambda now: {"start_time": "noon"}, "Failed to parse date noon"),
        (lambda now: {"start_time": now + 1}, "Requested date is in the future"),
        (lambda now: {"start_time": now - 604_801, "end_time": now}, "Requested date range is invalid"),
        (lambda now: {"start_time": now - 280 * 86_400}, "Requested date range is invalid"),
    ],
)
def test_events_are_asked_for_by_the_week(cloud: Enphase, span: Callable[[int], dict], text: str):
    status, found = details(cloud.get(f"{LIST}/{FIRST}/events", **span(int(cloud.caller.clocks.now))))
    assert status == 422
    assert found.startswith(text)
