"""SolisCloud: signatures, envelope, paging, units."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from sandbox import create_app
from tests.sandbox.callers import Caller, Clocks
from tests.sandbox.solis import data, records

VECTORS = json.loads((Path(__file__).parents[1] / "vendors/solis/signature-vector.json").read_text())["vectors"]
INVERTERS = "/v1/api/inverterList"
BODY = b'{"pageNo":1,"pageSize":100}'


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['path']} {vector['content_type']}")
def test_the_published_signatures_are_accepted(clocks: Clocks, vector: dict[str, str]):
    clocks.now = datetime(2026, 1, 5, 6, 7, 8, tzinfo=UTC).timestamp()
    caller = Caller(create_app(1, real_time=clocks.real_time).test_client(), clocks)
    headers = {
        "Content-MD5": vector["content_md5"],
        "Content-Type": vector["content_type"],
        "Date": vector["date"],
        "Authorization": vector["authorization"],
    }
    answer = caller.http.post(f"/solis{vector['path']}", data=vector["body"], headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"Authorization": "API 1300000000000000002:AAAA"},
        {"Authorization": "API 1300000000000000001:AAAA"},
        {"Authorization": ""},
        {"Content-MD5": "kxdxk7rbAsrzSIWgEwhH4w=="},
        {"Date": "Sun, 21 Jun 2026 12:00:01 GMT"},
    ],
)
def test_a_wrong_key_signature_or_header_is_answered_with_403_and_no_json(caller: Caller, changes: dict[str, str]):
    answer = caller.signed(INVERTERS, BODY, **changes)
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")


@pytest.mark.parametrize(("seconds", "status"), [(-901, 408), (-900, 200), (900, 200), (901, 408)])
def test_a_clock_more_than_900_seconds_off_is_answered_with_408(caller: Caller, seconds: int, status: int):
    real = caller.clocks.now
    caller.clocks.now = real + seconds
    headers = caller.signed_headers(INVERTERS, BODY)
    caller.clocks.now = real
    assert caller.http.post(f"/solis{INVERTERS}", data=BODY, headers=headers).status_code == status


def test_the_time_may_stand_in_a_header_of_that_name_and_the_day_unpadded(caller: Caller):
    headers = caller.signed_headers(INVERTERS, BODY)
    headers["Time"] = headers.pop("Date")
    assert caller.http.post(f"/solis{INVERTERS}", data=BODY, headers=headers).status_code == 200


def test_a_signature_over_another_spelling_of_the_content_type_is_accepted(caller: Caller):
    answer = caller.signed(INVERTERS, BODY, **{"Content-Type": "application/json;charset=UTF-8"})
    assert answer.status_code == 200


def test_the_md5_of_the_body_is_compared_on_demand_only(caller: Caller):
    headers = caller.signed_headers(INVERTERS, BODY)
    other = b'{"pageNo": 1, "pageSize": 100}'
    path = f"/solis{INVERTERS}"
    assert caller.http.post(path, data=other, headers=headers).status_code == 200
    caller.http.put("/options/solis", json={"strict_md5": True})
    assert caller.http.post(path, data=other, headers=headers).status_code == 403
    assert caller.http.post(path, data=BODY, headers=headers).status_code == 200


def test_pages_hold_at_most_100_and_follow_one_another():
    clocks = Clocks(datetime(2026, 6, 21, 12, tzinfo=UTC).timestamp())
    caller = Caller(create_app(60, real_time=clocks.real_time).test_client(), clocks)
    first = data(caller.solis("inverterList", pageNo=1, pageSize=100))
    second = data(caller.solis("inverterList", pageNo="2", pageSize="100"))
    total = first["inverterStatusVo"]["all"]
    assert total > 100
    assert [len(page["page"]["records"]) for page in (first, second)] == [100, total - 100]
    assert first["page"]["pages"] == 2
    ids = [record["id"] for page in (first, second) for record in page["page"]["records"]]
    assert len(set(ids)) == total
    assert all(len(one) == 19 for one in ids)
    assert data(caller.solis("inverterList", pageNo=3, pageSize=100))["page"]["records"] == []


@pytest.mark.parametrize("body", [{"pageSize": 101}, {"pageSize": 0}, {"pageNo": 0}, {"pageNo": "x"}])
def test_a_page_out_of_range_is_an_error_that_claims_success(caller: Caller, body: dict[str, Any]):
    answer = caller.solis("inverterList", **body)
    assert (answer.status_code, answer.json["success"], answer.json["code"]) == (200, True, "I0000")


def test_a_page_has_20_rows_by_default(caller: Caller):
    assert data(caller.solis("inverterList"))["page"]["size"] == 20


def test_inverters_can_be_listed_by_station(caller: Caller):
    view = caller.truth()["views"]["solis"][2]
    listed = data(caller.solis("inverterList", stationId=view["site"]))
    serials = {device["serial"] for device in view["devices"]}
    assert {record["sn"] for record in listed["page"]["records"]} == serials
    assert listed["inverterStatusVo"]["all"] == len(serials)


def test_an_inverter_is_found_by_id_and_by_serial_number(caller: Caller):
    one = records(caller)[0]
    by_id, by_serial = (data(caller.solis("inverterDetail", **{name: one[name]})) for name in ("id", "sn"))
    assert by_id == by_serial
    assert by_id["sn"] == one["sn"]
    assert (by_id["eToday"], by_id["eTotal"]) == (one["etoday"], one["etotal"])


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("inverterDetail", {"id": "1"}, "1"),
        ("inverterDetail", {}, "I0003"),
        ("stationDetail", {"id": "1"}, "1"),
        ("stationDetail", {}, "I0003"),
        ("inverterDay", {"id": "1"}, "1"),
    ],
)
def test_an_unknown_or_missing_id_is_an_error_inside_an_answer_of_status_200(caller: Caller, name, body, code):
    answer = caller.solis(name, **body)
    assert (answer.status_code, answer.json["code"], answer.json["data"]) == (200, code, None)


def test_every_inverter_has_battery_members_and_only_hybrids_fill_them(caller: Caller):
    batteries = {
        device["serial"]
        for view in caller.truth()["views"]["solis"]
        for device in view["devices"]
        if device["kind"] == "battery"
    }
    for record in records(caller):
        has_battery = record["sn"] in batteries
        assert (record["batteryTotalChargeEnergy"] > 0) == (record["batteryCapacitySoc"] > 0) == has_battery
        detail = data(caller.solis("inverterDetail", id=record["id"]))
        assert (detail["batteryVoltage"] > 0) == has_battery


def test_the_unit_of_an_energy_grows_with_it(caller: Caller):
    one = records(caller)[0]
    assert (one["etodayStr"], one["etotalStr"]) == ("kWh", "MWh")
    assert one["etotal"] == pytest.approx(one["etotal1"] / 1000, abs=0.001)
    began = datetime.fromisoformat(caller.truth()["sites"][0]["operational_since"])
    caller.set_clock((began + timedelta(days=20)).isoformat())
    young = records(caller)[0]
    assert young["etotalStr"] == "kWh"
    assert young["etotal"] == pytest.approx(young["etotal1"], abs=1)


def test_some_stations_have_no_name(caller: Caller):
    names = [record.get("stationName") for record in data(caller.solis("userStationList"))["page"]["records"]]
    assert names[0] == "Berlin 1"
    assert names[4] is None


def test_a_station_knows_its_zone_by_offset_and_its_detail_by_name(caller: Caller):
    listed = data(caller.solis("userStationList"))["page"]["records"][3]
    detail = data(caller.solis("stationDetail", id=listed["id"]))
    assert (listed["timeZone"], "timeZoneStandardId" in listed) == (9.5, False)
    assert detail["timeZoneStandardId"] == "Australia/Adelaide"


def recorded(name: str) -> dict[str, Any]:
    answer = json.loads((Path(__file__).parents[1] / f"vendors/solis/{name}.json").read_text())
    return answer["data"]  # type: ignore[no-any-return]


# The list has these and the detail has not, in recordings.
LIST_ONLY = {
    "batteryModel",
    "dcInputType",
    "fisTime",
    "inverterConfig",
    "ivSupport",
    "offlineLongStr",
    "updateShelfTime",
}


@pytest.mark.parametrize("call", ["inverterDetail", "inverterDetailList"])
def test_a_detail_has_no_members_that_only_lists_have_and_none_that_was_never_recorded(caller: Caller, call: str):
    for record in records(caller):
        answer = data(caller.solis(call, id=record["id"], pageSize=100))
        details = answer["records"] if call == "inverterDetailList" else [answer]
        detail = next(detail for detail in details if detail["id"] == record["id"])
        assert set(record) >= LIST_ONLY
        assert set(record) - {"name", "stationName"} <= set(recorded("inverterList")["page"]["records"][0]) | POWERS
        assert set(detail) - {"name"} <= set(recorded("inverterDetail-string-inverter"))
        assert (detail["currentState"], detail["dcInputtype"], record["currentState"], record["dcInputType"]) == (
            "3",
            1,
            "0",
            1,
        )
        first = datetime.fromtimestamp(detail["fisGenerateTime"] / 1000, UTC)
        assert abs(first - datetime.fromisoformat(f"{detail['fisGenerateTimeStr']}T12:00:00Z")) < timedelta(days=2)


# A recording leaves most of the 32 strings out.
POWERS = {f"pow{index}" for index in range(1, 33)}


def test_all_stations_come_in_detail_at_once(caller: Caller):
    listed = data(caller.solis("userStationList", pageSize=100))["page"]["records"]
    found = data(caller.solis("stationDetailList", pageNo=1, pageSize=100))
    assert [one["id"] for one in found["records"]] == [one["id"] for one in listed]
    assert found["records"][0] == data(caller.solis("stationDetail", id=listed[0]["id"]))
    assert (found["total"], found["pages"], found["current"]) == (len(listed), 1, 1)
    second = data(caller.solis("stationDetailList", pageNo=2, pageSize=1))
    assert [one["id"] for one in second["records"]] == [listed[1]["id"]]


def test_there_are_no_alarms_unless_they_are_switched_on(caller: Caller):
    assert data(caller.solis("alarmList"))["records"] == []
    caller.http.put("/options/solis", json={"alarms": True})
    serial = records(caller)[0]["sn"]
    pages = [data(caller.solis("alarmList", alarmDeviceSn=serial, pageSize=100, pageNo=number)) for number in (1, 2, 3)]
    assert [(len(page["records"]), page["total"], page["pages"]) for page in pages] == [
        (100, 199, 2),
        (99, 199, 2),
        (0, 199, 2),
    ]
    found = [alarm for page in pages for alarm in page["records"]]
    assert {alarm["alarmDeviceSn"] for alarm in found} == {serial}
    assert [alarm["state"] for alarm in found] == ["0", *["2"] * 198]
    begins = [alarm["alarmBeginTime"] for alarm in found]
    assert begins == sorted(begins, reverse=True)


def test_a_string_inverter_sleeps_at_night_and_keeps_its_last_values(caller: Caller):
    caller.set_clock("2026-06-21T23:30:00-07:00")
    asleep = next(record for record in records(caller) if record.get("stationName") == "Phoenix 1")
    assert (asleep["state"], asleep["stateExceptionFlag"]) == (2, 0)
    reported = datetime.fromtimestamp(int(asleep["dataTimestamp"]) / 1000, timezone(timedelta(hours=-7)))
    assert 18 <= reported.hour <= 20
    assert asleep["etoday"] > 1
