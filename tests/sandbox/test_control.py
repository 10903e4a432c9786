"""Faults, quotas, options and counts, as far as they need no real connection."""

import pytest

from sandbox import quotas
from tests.sandbox.callers import VENDORS, Caller


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_status_fault_meets_that_vendor_only_until_it_is_cleared(caller: Caller, vendor: str):
    caller.http.put(f"/faults/{vendor}", json={"status": 503})
    assert {name: caller.any_list(name).status_code for name in VENDORS} == {
        name: 503 if name == vendor else 200 for name in VENDORS
    }
    caller.http.put(f"/faults/{vendor}", json={})
    assert caller.any_list(vendor).status_code == 200


def test_a_fault_can_be_limited_to_a_path_and_to_a_number_of_calls(caller: Caller):
    fault = {"status": 500, "path": "/v1/plants/11260016/devices/lean", "times": 2}
    caller.http.put("/faults/sma", json=fault)
    plants = ("11260000", "11260016", "11260016", "11260016")
    statuses = [caller.get("sma", f"/v1/plants/{plant}/devices/lean").status_code for plant in plants]
    assert statuses == [200, 500, 500, 200]


def test_a_path_that_ends_in_a_star_takes_all_that_begin_alike(caller: Caller):
    caller.http.put("/faults/sma", json={"status": 500, "path": "/v1/plants/*"})
    assert caller.get("sma", "/v1/plants").status_code == 200
    assert caller.get("sma", "/v1/plants/11260000").status_code == 500


FORM = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}


def test_a_fault_meets_the_token_endpoint_only_if_it_names_it(caller: Caller):
    def statuses():
        return caller.http.post("/sma/oauth2/token", data=FORM).status_code, caller.any_list("sma").status_code

    caller.http.put("/faults/sma", json={"status": 500})
    assert statuses() == (200, 500)
    caller.http.put("/faults/sma", json={"status": 503, "path": "/oauth2/token"})
    assert statuses() == (503, 200)


def test_calls_of_the_token_endpoint_are_counted_and_use_no_quota(caller: Caller):
    caller.http.put("/limits/sma", json={"calls": 0, "seconds": 60})
    for secret, status in (("sandbox-secret", 200), ("wrong", 401)):
        answer = caller.http.post("/sma/oauth2/token", data=FORM | {"client_secret": secret})
        assert answer.status_code == status
    assert caller.http.get("/calls/sma").json == {"/oauth2/token": 2}


def access_token(caller: Caller) -> dict:
    return caller.http.post("/sma/oauth2/token", data=FORM).json


def status_with(caller: Caller, token: str) -> int:
    return caller.http.get("/sma/v1/plants", headers={"Authorization": f"Bearer {token}"}).status_code


def test_access_tokens_can_be_made_invalid_at_once(caller: Caller):
    before = access_token(caller)["access_token"]
    assert status_with(caller, before) == 200
    assert caller.http.delete("/tokens/sma").status_code == 204
    assert status_with(caller, before) == 401
    assert status_with(caller, access_token(caller)["access_token"]) == 200


def test_the_lifetime_of_new_access_tokens_can_be_set(caller: Caller):
    assert caller.http.put("/tokens/sma", json={"seconds": 40}).status_code == 200
    issued = access_token(caller)
    assert issued["expires_in"] == 40
    caller.clocks.wait(40)
    assert status_with(caller, issued["access_token"]) == 401
    caller.http.put("/tokens/sma", json={})
    assert access_token(caller)["expires_in"] == 300


@pytest.mark.parametrize(
    ("vendor", "body", "status"),
    [
        ("sma", {"seconds": 0}, 400),
        ("sma", {"seconds": "long"}, 400),
        ("sma", {"second": 1}, 400),
        ("solis", {"seconds": 40}, 404),
        ("xyz", {"seconds": 40}, 404),
    ],
)
def test_a_wrong_lifetime_or_a_vendor_without_tokens_is_refused(caller: Caller, vendor: str, body: dict, status: int):
    assert caller.http.put(f"/tokens/{vendor}", json=body).status_code == status


@pytest.mark.parametrize(
    ("fault", "status", "content_type"),
    [
        ({"body": "<html>down</html>"}, 200, "text/html"),
        ({"body": "not json"}, 200, "application/json"),
        ({"body": "<html>", "status": 502}, 502, "text/html"),
        ({"redirect": "http://127.0.0.1:1/x"}, 302, None),
        ({"redirect": "http://127.0.0.1:1/x", "status": 308}, 308, None),
    ],
)
def test_a_fault_can_change_body_and_direction(caller: Caller, fault: dict, status: int, content_type: str | None):
    caller.http.put("/faults/solaredge", json=fault)
    answer = caller.get("solaredge", "/v2/sites")
    assert answer.status_code == status
    if content_type is None:
        assert answer.headers["Location"] == fault["redirect"]
    else:
        assert (answer.text, answer.mimetype) == (fault["body"], content_type)


def test_a_fault_can_carry_headers(caller: Caller):
    caller.http.put("/faults/sma", json={"status": 429, "headers": {"Retry-After": "7"}})
    answer = caller.get("sma", "/v1/plants")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json["code"]) == (429, "7", "TooManyRequests")


def test_a_fault_can_come_after_the_call_was_handled(caller: Caller):
    token = caller.vendors["tesla"]["token"]
    form = {"grant_type": "refresh_token", "client_id": token["client_id"], "refresh_token": token["refresh_token"]}
    path = "/oauth2/v3/token"
    caller.http.put("/options/tesla", json={"single_use": True})
    caller.http.put("/faults/tesla", json={"path": path, "status": 503, "times": 1})
    assert caller.http.post(f"/tesla{path}", data=form).status_code == 503, "before: nothing was spent"
    caller.http.put("/faults/tesla", json={"path": path, "status": 503, "times": 1, "after": True})
    answers = [caller.http.post(f"/tesla{path}", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 401]
    assert "access_token" not in answers[0].json
    assert caller.http.get("/tokens/tesla").json == {"refreshes": 1, "refused_refreshes": 1}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"stauts": 500}, "stauts"),
        ({"reset": True, "after": 1}, "after"),
        ({"status": "500"}, "status"),
        ({"status": True}, "status"),
        ({"delay": -1}, "delay"),
        ({"hang": 1}, "hang"),
        ({"drip": {"part": "middle"}}, "drip.part"),
        ({"drip": {"part": "body", "every": 0}}, "drip.every"),
        ({"huge": 1.5}, "huge"),
        ({"status": 500, "path": "v1"}, "path"),
        ({"status": 500, "times": 0}, "times"),
        ({"headers": {"A": 1}}, "headers"),
        ({"hang": True, "reset": True}, "reset"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_an_invalid_fault_is_refused_with_the_name_of_the_member(caller: Caller, body: object, field: str):
    answer = caller.http.put("/faults/sma", json=body)
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert caller.get("sma", "/v1/plants").status_code == 200


@pytest.mark.parametrize("path", ["/faults/nobody", "/limits/nobody", "/options/nobody"])
def test_an_unknown_vendor_is_not_found(caller: Caller, path: str):
    assert caller.http.put(path, json={}).status_code == 404


@pytest.mark.parametrize("body", [{}, {"now": 5}, {"now": "2026-01-01T00:00:00"}, {"time": None}])
def test_an_invalid_clock_is_refused(caller: Caller, body: dict):
    assert caller.http.put("/clock", json=body).status_code == 400


def test_calls_are_counted_with_refused_and_faulted_ones_until_they_are_deleted(caller: Caller):
    caller.http.get("/solaredge/v2/sites")
    caller.http.get("/solaredge/sites/list?api_key=x")
    caller.http.put("/faults/solaredge", json={"status": 500, "times": 1})
    for _ in range(2):
        caller.get("solaredge", "/v2/sites")
    assert caller.http.get("/calls/solaredge").json == {"/sites/list": 1, "/v2/sites": 3}
    caller.http.delete("/calls/solaredge")
    assert caller.http.get("/calls/solaredge").json == {}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_quota_ends_after_its_calls_and_comes_back_after_its_period(caller: Caller, vendor: str):
    caller.http.put(f"/limits/{vendor}", json={"calls": 2, "seconds": 10})
    assert [caller.any_list(vendor).status_code for _ in range(4)] == [200, 200, 429, 429]
    caller.clocks.wait(10)
    assert caller.any_list(vendor).status_code == 200


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("body", ["null", ""])
def test_quotas_are_lifted_by_default_and_by_null(caller: Caller, vendor: str, body: str):
    caller.http.put(f"/limits/{vendor}", json={"calls": 0, "seconds": 60})
    assert caller.any_list(vendor).status_code == 429
    caller.http.put(f"/limits/{vendor}", data=body)
    assert {caller.any_list(vendor).status_code for _ in range(30)} == {200}


@pytest.mark.parametrize(("vendor", "sends_retry_after"), [("sma", True), ("solaredge", True), ("solis", False)])
def test_only_some_vendors_say_when_to_come_back(caller: Caller, vendor: str, sends_retry_after: bool):
    caller.http.put(f"/limits/{vendor}", json={"calls": 0, "seconds": 30})
    assert caller.any_list(vendor).headers.get("Retry-After") == ("31" if sends_retry_after else None)


def test_a_spent_plan_of_solis_is_an_error_inside_an_answer_of_status_200(caller: Caller):
    caller.http.put("/limits/solis", json={"calls": 0, "seconds": 86400})
    answer = caller.any_list("solis")
    assert (answer.status_code, answer.json["code"], answer.json["success"]) == (200, "R0000", True)
    assert "too many request 0 times in 1DAYS" in answer.json["msg"]


def test_spent_credits_of_solaredge_leave_calls_in_the_minute_and_no_retry_after(caller: Caller):
    plan = [{"calls": 10, "seconds": 60}, {"calls": 1, "seconds": 30 * 86400}]
    caller.http.put("/limits/solaredge", json=plan)
    assert caller.any_list("solaredge").headers["x-ratelimit-remaining-minute"] == "9"
    answer = caller.any_list("solaredge")
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    assert answer.headers["x-ratelimit-limit-minute"] == "10"
    assert answer.headers["x-ratelimit-remaining-minute"] == "9"


def test_each_credential_has_a_separate_quota():
    ticks = 0.0
    held = quotas.Quotas(lambda: ticks)
    held.set("sma", quotas.parse({"calls": 1, "seconds": 5}))
    assert held.take("sma", "one") is None
    assert held.take("sma", "two") is None
    spent = held.take("sma", "one")
    assert spent is not None
    assert spent.wait == 5.0


@pytest.mark.parametrize(
    ("body", "field"),
    [({"calls": 1}, "seconds"), ({"calls": "1", "seconds": 1}, "calls"), ({"calls": 1, "seconds": 0}, "seconds")],
)
def test_an_invalid_quota_is_refused_with_the_name_of_the_member(caller: Caller, body: dict, field: str):
    answer = caller.http.put("/limits/sma", json=body)
    assert (answer.status_code, answer.json["field"]) == (400, field)


@pytest.mark.parametrize("body", [{"strict": True}, {"strict_md5": "yes"}])
def test_an_unknown_option_is_refused(caller: Caller, body: dict):
    assert caller.http.put("/options/solis", json=body).status_code == 400


def test_errors_have_the_form_of_the_vendor_they_happen_at(caller: Caller):
    sma = caller.get("sma", "/v1/nothing")
    solaredge = caller.get("solaredge", "/v2/nothing")
    solis = caller.solis("nothing")
    assert (sma.status_code, set(sma.json)) == (404, {"message", "code"})
    assert (solaredge.status_code, solaredge.mimetype) == (404, "application/problem+json")
    assert len(solaredge.json["properties"]["traceId"]) == 32
    assert (solis.status_code, solis.mimetype) == (404, "text/plain")
    assert caller.http.get("/nothing").status_code == 404
