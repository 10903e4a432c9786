"""Enphase's Grid Services API: accounts, programs, and the sites enrolled in them."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from sandbox import create_app
from tests.sandbox.callers import Caller, Clocks
from tests.sandbox.enphase import FIRST, MONITORING, SERVICES, Enphase, system_id

PROGRAMS = "/api/v1/programs"
NO_KEY = "x-api-key is not provided or invalid"
NO_TOKEN = "Authorization is not provided or invalid"
NOT_ENROLLED = "Site is not enrolled in any program which belongs to your account."
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@pytest.fixture
def cloud(caller: Caller) -> Enphase:
    return Enphase(caller, SERVICES)


def ids(cloud: Enphase) -> list[str]:
    return [program["program_id"] for program in cloud.get(PROGRAMS).json["programs"]]


def search(cloud: Enphase, program_id: str, **query: Any) -> TestResponse:
    return cloud.get(f"/api/v1/systems/search/{quote(program_id, safe='')}", **query)


def told(answer: TestResponse) -> tuple[int, str]:
    assert answer.json["code"] == str(answer.status_code)
    assert set(answer.json) == {"code", "displayMessage", "additionalInfo", "errorRefNo"}
    return answer.status_code, answer.json["displayMessage"]


def ask(cloud: Enphase, headers: dict[str, str]) -> TestResponse:
    return cloud.caller.http.get(f"/enphasevpp{PROGRAMS}", headers=headers)


def token_of(
    cloud: Enphase, scheme: str = "Basic ", secret: str = "", headers: Any = FORM, **grant: str
) -> TestResponse:
    known = cloud.caller.vendors[SERVICES]["token"]
    encoded = b64encode(f"{known['client_id']}:{secret or known['client_secret']}".encode()).decode()
    return cloud.caller.http.post(
        "/enphasevpp/auth/oauth2/token", headers={**headers, "Authorization": scheme + encoded}, query_string=grant
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"x-api-key": ""}, (403, NO_KEY)),
        ({"x-api-key": "wrong"}, (403, NO_KEY)),
        ({"x-api-key": "wrong", "Authorization": "Bearer wrong"}, (403, NO_KEY)),
        ({"Authorization": ""}, (401, NO_TOKEN)),
        ({"Authorization": "Bearer wrong"}, (401, NO_TOKEN)),
        ({"Authorization": "Basic eDp5"}, (401, NO_TOKEN)),
    ],
)
def test_the_key_is_checked_first_and_the_token_next(cloud: Enphase, change: dict, expected: tuple[int, str]):
    assert told(ask(cloud, cloud.headers | change)) == expected


def test_a_key_of_another_account_is_not_valid(cloud: Enphase):
    other = Enphase(cloud.caller, SERVICES, "second")
    answer = ask(cloud, cloud.headers | {"x-api-key": other.key})
    assert told(answer) == (403, "x-api-key is not valid for this account")


def test_a_token_lives_for_an_hour(cloud: Enphase):
    cloud.caller.clocks.wait(3599)
    assert cloud.get(PROGRAMS).status_code == 200
    cloud.caller.clocks.wait(1)
    assert told(cloud.get(PROGRAMS)) == (401, NO_TOKEN)


@pytest.mark.parametrize("scheme", ["", "Basic "])
def test_a_token_is_given_with_and_without_the_word_basic(cloud: Enphase, scheme: str):
    answer = token_of(cloud, scheme, grant_type="client_credentials")
    assert set(answer.json) == {"access_token", "expires_in", "token_type"}
    assert (answer.json["expires_in"], answer.json["token_type"]) == (3600, "Bearer")
    headers = {"Authorization": f"Bearer {answer.json['access_token']}", "x-api-key": cloud.key}
    assert ask(cloud, headers).status_code == 200


def test_bad_requests_for_tokens(cloud: Enphase):
    grant = {"grant_type": "client_credentials"}
    bad = (400, "Invalid parameter or headers")
    assert told(token_of(cloud, secret="wrong", **grant)) == bad
    assert told(token_of(cloud, headers={"Content-Type": "application/json"}, **grant)) == bad
    for wrong in ({}, {"grant_type": "password"}):
        assert told(token_of(cloud, **wrong)) == (401, "grant_type is not provided or invalid")


def test_programs_have_awkward_ids_and_come_in_pages(cloud: Enphase):
    found = ids(cloud)
    assert len(found) == 3
    assert " " in found[0]
    assert "*" in found[0]
    pages = [cloud.get(PROGRAMS, page_no=page, page_size=2).json for page in (1, 2, 3)]
    assert [[program["program_id"] for program in page["programs"]] for page in pages] == [found[:2], found[2:], []]
    assert {page["total_count"] for page in pages} == {3}
    for program_id in found:
        rules = cloud.get(f"{PROGRAMS}/{quote(program_id, safe='')}").json
        assert (rules["program_id"], rules["min_allowed_soc"]) == (program_id, 10)


@pytest.mark.parametrize("query", [{"page_no": 0}, {"page_size": 0}, {"page_size": 101}, {"page_no": "x"}])
def test_a_page_out_of_range_is_a_bad_request(cloud: Enphase, query: dict[str, Any]):
    status, text = told(cloud.get(PROGRAMS, **query))
    assert (status, text[:34]) == (400, "Pagination Variables are incorrect")
    renamed = {name.replace("_no", "").replace("page_size", "size"): value for name, value in query.items()}
    assert told(search(cloud, ids(cloud)[0], **renamed))[0] == 400


def test_the_programs_hold_every_site_and_the_first_one_twice(cloud: Enphase):
    first, second, _ = ids(cloud)
    found = [[one["system_id"] for one in search(cloud, one).json["systems"]] for one in (first, second)]
    assert found == [[system_id(number) for number in range(6, -1, -1)], [system_id(7), FIRST]]
    upwards = search(cloud, first, sort_by="id").json["systems"]
    assert [one["system_id"] for one in upwards] == found[0][::-1]


def test_a_program_without_sites_and_an_unknown_one_are_not_found(cloud: Enphase):
    waiting = ids(cloud)[2]
    text = f"No sites were found to be enrolled in the program: {waiting}"
    assert told(search(cloud, waiting)) == (404, text)
    assert told(search(cloud, "x")) == (404, "Please provide valid Program ID")
    assert told(cloud.get(f"{PROGRAMS}/x")) == (404, "Please provide valid Program ID")
    assert told(search(cloud, ids(cloud)[0], sort_by="name"))[0] == 400


def test_sites_of_a_program_come_in_pages_of_at_most_100():
    clocks = Clocks(datetime(2026, 6, 21, 12, tzinfo=UTC).timestamp())
    caller = Caller(create_app(102, real_time=clocks.real_time, ticks=clocks.monotonic).test_client(), clocks)
    cloud = Enphase(caller, SERVICES)
    first = ids(cloud)[0]
    pages = [search(cloud, first, size=100, page=page).json for page in (1, 2, 3)]
    assert [(page["total"], page["count"]) for page in pages] == [(101, 100), (101, 1), (101, 0)]
    assert len(search(cloud, first).json["systems"]) == 10


@pytest.mark.parametrize("sites", [0, 1, 2])
def test_small_fleets_have_their_sites_in_programs_too(sites: int):
    clocks = Clocks(datetime(2026, 6, 21, 12, tzinfo=UTC).timestamp())
    cloud = Enphase(Caller(create_app(sites).test_client(), clocks), SERVICES)
    answers = [search(cloud, one).json.get("systems", []) for one in ids(cloud)]
    assert {one["system_id"] for found in answers for one in found} == {system_id(number) for number in range(sites)}


def test_a_site_is_the_same_as_in_the_monitoring_api(cloud: Enphase):
    monitoring = Enphase(cloud.caller, MONITORING)
    truth = cloud.caller.truth()["views"]
    assert truth[SERVICES] == truth[MONITORING]
    for number in range(8):
        both = [one.system_json(number, "/devices")["devices"] for one in (monitoring, cloud)]
        serials = [[one["serial_number"] for kind in devices for one in devices[kind]] for devices in both]
        assert serials[0] == serials[1]
        assert both[1]["micros"][0]["name"] == both[0]["micros"][0]["name"].replace(" ", "  ")


def test_a_row_of_the_search_lacks_members_of_the_monitoring_api(cloud: Enphase):
    row = search(cloud, ids(cloud)[0], sort_by="id").json["systems"][0]
    listed = Enphase(cloud.caller, MONITORING).system_json(0, "")
    assert set(listed) - set(row) == {"energy_lifetime", "energy_today", "system_size", "reference", "other_references"}
    assert set(row["address"]) == {"state", "country", "postal_code"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/systems/1/devices", (403, NOT_ENROLLED)),
        ("/api/v1/systems/x/summary", (400, "Invalid site id. Please enter correct site id.")),
        (f"/api/v1/systems/{FIRST}", (404, "Requested resource Not Found")),
        ("/api/v1/systems/inverters_summary_by_envoy_or_site", (404, "Requested resource Not Found")),
        (f"/api/v1/systems/{FIRST}/devices/micros/1/telemetry", (404, "Not Found")),
        ("/api/v1/systems/event_types?event_type_id=1", (404, "Not Found")),
        (f"/api/v1/systems/{FIRST}/site_events", (422, "Unprocessable Entity")),
        (f"/api/v1/systems/{FIRST + 7}/battery_settings", (422, "Error occurred while getting response")),
    ],
)
def test_errors_have_the_words_of_the_catalogue(cloud: Enphase, path: str, expected: tuple[int, str]):
    status, text = told(cloud.get(path))
    assert (status, text[: len(expected[1])]) == expected


def test_an_account_sees_only_the_sites_of_its_programs(caller: Caller):
    second = Enphase(caller, SERVICES, "second")
    assert second.get(f"/api/v1/systems/{system_id(7)}/devices").status_code == 200
    assert told(second.get(f"/api/v1/systems/{system_id(1)}/devices")) == (403, NOT_ENROLLED)
    assert told(search(second, ids(Enphase(caller, SERVICES))[0])) == (404, "Please provide valid Program ID")
    empty, new = Enphase(caller, SERVICES, "empty"), Enphase(caller, SERVICES, "new")
    assert [search(empty, one).status_code for one in ids(empty)] == [404]
    assert new.get(PROGRAMS).json == {"total_count": 0, "programs": []}


def test_rows_may_be_of_15_minutes_where_they_are_of_5(cloud: Enphase):
    path = "/telemetry/production_micro"
    fine = cloud.system_json(0, path, start_date="2026-06-20")["intervals"]
    coarse = cloud.system_json(0, path, start_date="2026-06-20", interval_duration="15mins")["intervals"]
    assert sum(row["enwh"] for row in fine) == sum(row["enwh"] for row in coarse)
    assert {row["end_at"] % 900 for row in coarse} == {0}
    prefix = f"/api/v1/systems/{FIRST}/telemetry"
    for bad in ("/production_micro?interval_duration=1h", "/battery?interval_duration=5mins"):
        assert told(cloud.get(prefix + bad)) == (422, "Interval duration must be one of  '5mins', '15mins'")


def test_the_end_of_a_window_may_be_named(cloud: Enphase):
    start = int(datetime(2026, 6, 20, 10, tzinfo=UTC).timestamp())
    series = cloud.system_json(0, "/telemetry/battery", start_at=start, end_at=start + 3600)
    assert (series["end_at"], len(series["intervals"])) == (start + 3600, 4)
    dated = cloud.system_json(
        0, "/telemetry/battery", start_date="2026-06-18", end_date="2026-06-20", granularity="week"
    )
    assert (dated["end_date"], len(dated["intervals"])) == ("2026-06-20T00:00:00+02:00", 192)


def test_the_direction_of_a_battery_is_a_word_next_to_its_power(cloud: Enphase):
    cloud.caller.set_clock("2026-06-21T10:00:00Z")
    (here,) = cloud.system_json(0, "/latest_telemetry")["devices"]["encharges"]
    (there,) = Enphase(cloud.caller, MONITORING).system_json(0, "/latest_telemetry")["devices"]["encharges"]
    assert here["operational_mode"] == there["operational_mode"] == "Charging"
    assert here["power"] == -there["power"] > 100
    assert "serial_number" not in here


def test_a_spent_quota_is_answered_by_the_gateway(cloud: Enphase):
    cloud.caller.http.put("/limits/enphasevpp", json={"calls": 1, "seconds": 60})
    assert [cloud.get(PROGRAMS).status_code for _ in range(2)] == [200, 429]
    answer = cloud.get(PROGRAMS)
    assert answer.json == {"message": "Too Many Requests"}
    assert "Retry-After" not in answer.headers
    cloud.caller.clocks.wait(60)
    assert cloud.get(PROGRAMS).status_code == 200
