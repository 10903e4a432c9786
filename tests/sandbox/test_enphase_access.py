"""Enphase's Monitoring API: tokens, keys, plans and quotas."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from werkzeug.test import TestResponse

from tests.sandbox.callers import Caller
from tests.sandbox.enphase import FIRST, MONITORING, Enphase

LIST = "/api/v4/systems"
MICRO = f"{LIST}/{FIRST}/devices/micros/482000000000/telemetry"
BATTERY = f"{LIST}/{FIRST}/devices/encharges/492000000000/telemetry"
SETTINGS = f"{LIST}/config/{FIRST}/battery_settings"
REFUSED = {"message": "Not Authorized", "details": "User is not authorized", "code": 401}


@pytest.fixture
def cloud(caller: Caller) -> Enphase:
    return Enphase(caller, MONITORING)


def ask(cloud: Enphase, headers: dict[str, str], query: str = "") -> TestResponse:
    return cloud.caller.http.get(f"/enphase{LIST}?{query}", headers=headers)


def basic(client: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{client}:{secret}".encode()).decode()}


def token_of(cloud: Enphase, changes: dict[str, str] | None = None, **parameters: str) -> TestResponse:
    known = cloud.caller.vendors[MONITORING]["token"] | (changes or {})
    headers = basic(known["client_id"], known["client_secret"])
    return cloud.caller.http.post("/enphase/oauth/token", headers=headers, query_string=parameters)


@pytest.mark.parametrize("missing", ["Authorization", "key"])
def test_both_the_token_and_the_key_are_needed(cloud: Enphase, missing: str):
    headers = {name: value for name, value in cloud.headers.items() if name != missing}
    answer = ask(cloud, headers)
    assert (answer.status_code, answer.json) == (401, REFUSED)


@pytest.mark.parametrize(
    "bad", [{"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}, {"key": "wrong"}, {"key": ""}]
)
def test_a_wrong_token_or_key_is_not_authorized(cloud: Enphase, bad: dict[str, str]):
    answer = ask(cloud, cloud.headers | bad)
    assert (answer.status_code, answer.json) == (401, REFUSED)


def test_the_key_may_stand_in_the_query_and_the_scheme_in_any_case(cloud: Enphase):
    headers = {"Authorization": cloud.token.replace("Bearer", "bEARER")}
    assert ask(cloud, headers, f"key={cloud.key}").status_code == 200


def test_key_and_token_of_different_applications_do_not_go_together(cloud: Enphase):
    other = Enphase(cloud.caller, MONITORING, "second")
    answer = ask(cloud, cloud.headers | {"key": other.key})
    assert (answer.status_code, answer.json["message"]) == (401, "API Key -Client mismatch")


def test_a_token_lives_for_a_day(cloud: Enphase):
    cloud.caller.clocks.wait(86_399)
    assert cloud.get(LIST).status_code == 200
    cloud.caller.clocks.wait(1)
    assert cloud.get(LIST).status_code == 401


def test_the_installers_password_gives_a_token_that_works(cloud: Enphase):
    known = cloud.caller.vendors[MONITORING]["token"]
    answer = token_of(cloud, grant_type="password", username=known["username"], password=known["password"])
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 86_400)
    headers = {"Authorization": f"Bearer {answer.json['access_token']}", "key": cloud.key}
    assert ask(cloud, headers).status_code == 200


def test_a_refresh_token_works_once_and_in_a_form_too(cloud: Enphase):
    known = cloud.caller.vendors[MONITORING]["token"]
    grant = {"grant_type": "password", "username": known["username"], "password": known["password"]}
    first = token_of(cloud, **grant).json["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": first}
    headers = basic(known["client_id"], known["client_secret"])
    second = cloud.caller.http.post("/enphase/oauth/token", data=form, headers=headers)
    assert second.status_code == 200
    assert second.json["refresh_token"] != first
    again = token_of(cloud, **form)
    assert (again.status_code, again.json["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "grant", "status", "error"),
    [
        ({"client_secret": "x"}, {"grant_type": "password"}, 401, "invalid_client"),
        ({"client_id": "x"}, {"grant_type": "password"}, 401, "invalid_client"),
        ({}, {}, 400, "invalid_request"),
        ({}, {"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({}, {"grant_type": "password", "username": "x", "password": "y"}, 400, "invalid_grant"),
        ({}, {"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
        ({}, {"grant_type": "authorization_code", "code": "x"}, 400, "invalid_grant"),
    ],
)
def test_bad_requests_for_tokens(cloud: Enphase, changes: dict, grant: dict, status: int, error: str):
    answer = token_of(cloud, changes, **grant)
    assert (answer.status_code, answer.json["error"]) == (status, error)


@pytest.mark.parametrize(
    ("plan", "allowed"),
    [
        ("watt", {MICRO: 401, BATTERY: 401, SETTINGS: 401}),
        ("kilowatt", {MICRO: 200, BATTERY: 200, SETTINGS: 401}),
        ("megawatt", {MICRO: 200, BATTERY: 200, SETTINGS: 200}),
        ("", {MICRO: 200, BATTERY: 200, SETTINGS: 200}),
    ],
)
def test_a_plan_opens_the_calls_that_it_includes(caller: Caller, plan: str, allowed: dict[str, int]):
    cloud = Enphase(caller, MONITORING, plan)
    assert cloud.get(LIST).status_code == 200
    assert cloud.get(f"{LIST}/{FIRST}/devices").status_code == 200
    assert {path: cloud.get(path).status_code for path in allowed} == allowed


def test_a_plan_is_refused_like_a_token_unless_the_documented_way_is_chosen(caller: Caller):
    cloud = Enphase(caller, MONITORING, "watt")
    assert cloud.get(MICRO).json == REFUSED
    cloud.set_options(plan_403=True)
    answer = cloud.get(MICRO)
    assert (answer.status_code, answer.json["message"]) == (403, "Forbidden")


def test_an_owner_sees_one_system_and_an_empty_account_none(caller: Caller):
    owner, empty = Enphase(caller, MONITORING, "homeowner"), Enphase(caller, MONITORING, "empty")
    assert [system["system_id"] for system in owner.get(LIST).json["systems"]] == [FIRST]
    assert owner.get(f"{LIST}/{FIRST + 7}/devices").status_code == 403
    assert empty.get(LIST).json["total"] == 0
    assert empty.get(f"{LIST}/{FIRST}").status_code == 403


def test_a_spent_minute_reports_its_start_and_end_and_ends_on_the_whole_minute(cloud: Enphase):
    cloud.caller.clocks.wait(17)
    minute = int(datetime(2026, 6, 21, 12, tzinfo=UTC).timestamp())
    cloud.caller.http.put("/limits/enphase", json={"calls": 2, "seconds": 60})
    assert [cloud.get(LIST).status_code for _ in range(3)] == [200, 200, 429]
    answer = cloud.get(LIST)
    assert answer.json == {
        "message": "Too Many Requests",
        "details": "Usage limit exceeded for plan Partner",
        "code": 429,
        "period": "minute",
        "period_start": minute,
        "period_end": minute + 60,
        "limit": 2,
    }
    assert "Retry-After" not in answer.headers
    cloud.caller.clocks.wait(42.9)
    assert cloud.get(LIST).status_code == 429
    cloud.caller.clocks.wait(0.1)
    assert [cloud.get(LIST).status_code for _ in range(3)] == [200, 200, 429]


def test_a_spent_month_and_the_bare_form(cloud: Enphase):
    cloud.caller.http.put("/limits/enphase", json=cloud.caller.vendors[MONITORING]["plans"]["Watt"])
    for _ in range(100):
        assert [cloud.get(LIST).status_code for _ in range(10)] == [200] * 10
        cloud.caller.clocks.wait(60)
    answer = cloud.get(LIST).json
    assert (answer["period"], answer["limit"]) == ("month", 1000)
    cloud.set_options(bare_429=True)
    assert set(cloud.get(LIST).json) == {"message", "details", "code"}


def test_the_owners_of_an_application_share_its_quota(cloud: Enphase):
    cloud.caller.http.put("/limits/enphase", json={"calls": 1, "seconds": 60})
    assert cloud.get(LIST).status_code == 200
    later = Enphase(Caller(cloud.caller.http, cloud.caller.clocks), MONITORING)
    assert later.token != cloud.token
    assert later.get(LIST).status_code == 429
    assert Enphase(cloud.caller, MONITORING, "second").get(LIST).status_code == 200


def test_calls_are_counted_those_of_the_token_endpoint_too(cloud: Enphase):
    cloud.get(LIST)
    cloud.get(LIST, page=2)
    token_of(cloud, grant_type="password")
    assert cloud.caller.http.get("/calls/enphase").json == {LIST: 2, "/oauth/token": 1}
