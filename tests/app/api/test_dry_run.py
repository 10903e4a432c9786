"""`?dryRun=true`: parameters, representation, and quotas. tests/test_call_costs.py holds the numbers."""

import time
from dataclasses import replace
from datetime import datetime

import pytest

from tests.app.support import ALL, SMA, SOLAREDGE, SOLIS, V2
from tests.vendors.support import HEADERS
from vendors.kit.calls.breaker import FAULTS, WITNESSES

REFRESH = {"Cache-Control": "no-cache"}
INVERTERS = "/solar-inverters"
KEYS = {"vendor": "solaredge", "type": "apikey"}


@pytest.fixture
def estimate(get):
    def estimate(path=INVERTERS, headers=ALL, status=200):
        answer = get(f"{path}{'&' if '?' in path else '?'}dryRun=true", headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json

    return estimate


def test_the_answer_is_the_same_in_every_version_and_makes_no_call(get, estimate, clouds):
    get()
    clouds.calls.reset()
    for headers in (ALL, ALL | V2):
        assert estimate(headers=headers | REFRESH) == {
            "dryRun": True,
            "vendors": {"sma": {"calls": 3}, "solaredge": {"calls": 2}, "solis": {"calls": 1}},
            "countedBy": "this process",
            "errors": {},
        }
    assert len(clouds.calls) == 0


@pytest.mark.parametrize("value", ["", "1", "yes", "True", "TRUE", "on", "true,true"])
def test_the_parameter_is_true_or_false_and_nothing_else(get, network, value):
    answer = get(f"/sites?dryRun={value}")
    assert (answer.status_code, answer.json["code"]) == (400, "validation_error")
    assert "dryRun" in answer.json["detail"]


def test_false_is_the_list(get, clouds):
    assert get(f"{INVERTERS}?dryRun=false").json == get().json


@pytest.mark.parametrize("path", ["/sites/site-0000000000000000", "/health"])
def test_other_operations_do_not_know_it(get, network, path):
    assert get(f"{path}?dryRun=true").status_code == 400


def test_what_the_list_would_refuse_is_refused(get, estimate, clouds):
    assert estimate(f"{INVERTERS}?pageSize=5", status=400)["code"] == "validation_error"
    assert estimate(f"{INVERTERS}?pageToken=x", ALL | V2, status=400)["code"] == "invalid_page_token"
    token = get(f"{INVERTERS}?pageSize=1", headers=ALL | V2).json["nextPageToken"]
    assert estimate(f"{INVERTERS}?pageToken={token}", ALL | V2)["vendors"]["sma"] == {"calls": 0}
    assert estimate(headers={}, status=403)["code"] == "vendor_access_missing"


def test_filters_narrow_the_cost_as_they_narrow_the_list(get, estimate, clouds):
    get()
    assert estimate(f"{INVERTERS}?vendor=sma", ALL | REFRESH)["vendors"] == {"sma": {"calls": 3}}
    assert estimate(f"{INVERTERS}?vendor=sma&vendorSiteID=24", ALL | REFRESH)["vendors"] == {"sma": {"calls": 1}}
    assert estimate(f"{INVERTERS}?vendor=sma&vendorSiteID=..", ALL | REFRESH)["vendors"] == {"sma": {"calls": 0}}


def test_vendors_that_cannot_be_asked_are_in_errors_with_the_reason(estimate, network):
    headers = {"X-Authorization-sma": "no token"} | HEADERS["franklinwh"]
    body = estimate(headers=headers | V2)
    assert body["vendors"] == {"franklinwh": {"calls": 0}}
    assert {vendor: details["code"] for vendor, details in body["errorDetails"].items()} == {
        "franklinwh": "not_asked_yet",
        "sma": "unauthorized",
    }
    assert body["errors"].keys() == body["errorDetails"].keys()


def test_while_the_quota_is_held_a_list_costs_nothing_and_the_answer_says_until_when(get, estimate, clouds):
    get(headers=HEADERS["solaredge"])
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites", status=429, headers={"Retry-After": "300"})
    get(headers=HEADERS["solaredge"] | REFRESH)
    clouds.calls.reset()
    cost = estimate(headers=HEADERS["solaredge"] | REFRESH)["vendors"]["solaredge"]
    assert cost["calls"] == 0
    assert 290 < datetime.fromisoformat(cost["heldUntil"]).timestamp() - time.time() < 302
    assert cost["heldUntil"].endswith("+00:00")
    # What is kept costs nothing, held or not.
    assert estimate(headers=HEADERS["solaredge"])["vendors"] == {"solaredge": {"calls": 0}}
    assert get(headers=HEADERS["solaredge"] | REFRESH).headers["X-Vendor-Calls"] == "solaredge=0"


@pytest.fixture
def bounded(settings, start_service):
    """Starts a service with these limits; a function that gets from it as a new client."""

    def start(**limits):
        service = start_service(replace(settings, vendor_limits=limits))
        http = service.test_client()
        auth = service.extensions["services"].clients.create("test", "production", "v1")
        token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth).json["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        return lambda path, headers, **options: http.open(path, headers=bearer | headers, **options)

    return start


def test_calls_beyond_a_limit_of_our_own_are_refused_and_cost_nothing(bounded, clouds):
    get = bounded(sma=(5, 3600), solis=(1, 3600))
    get(INVERTERS, ALL)
    sma, solis = (get(f"{INVERTERS}?dryRun=true", ALL | REFRESH).json["vendors"][vendor] for vendor in ("sma", "solis"))
    assert (sma.keys(), sma["calls"]) == ({"calls", "heldUntil"}, 2)
    assert (solis.keys(), solis["calls"]) == ({"calls", "heldUntil"}, 0)
    for cost in (sma, solis):
        assert 3590 < datetime.fromisoformat(cost["heldUntil"]).timestamp() - time.time() < 3602
    assert get(INVERTERS, ALL | REFRESH).headers["X-Vendor-Calls"] == "sma=2, solaredge=2, solis=0"


def test_a_cost_that_is_not_known_is_known_where_the_limit_ends_it(bounded, clouds):
    get = bounded(sma=(2, 3600), solaredge=(1, 3600))
    costs = get(f"{INVERTERS}?dryRun=true", ALL).json["vendors"]
    assert costs["sma"] == {"atLeast": 1, "formula": "1, and 1 for each site"}
    assert (costs["solaredge"].keys(), costs["solaredge"]["calls"]) == ({"calls", "heldUntil"}, 1)
    assert 3590 < datetime.fromisoformat(costs["solaredge"]["heldUntil"]).timestamp() - time.time() < 3602


def test_a_limit_that_lets_calls_wait_for_a_moment_refuses_none(bounded, clouds):
    get = bounded(sma=(1, 1))
    get("/sites", HEADERS["sma"])
    assert get(f"{INVERTERS}?dryRun=true", HEADERS["sma"]).json["vendors"] == {"sma": {"calls": 2}}


def test_stored_credentials_are_added_up_within_the_quota_that_they_share(bounded, clouds):
    get = bounded(solaredge=(3, 3600))
    for name, key in (("roofs", "made-up-key-1"), ("the same roofs", "made-up-key-1"), ("others", "made-up-key-2")):
        stored = get(
            "/vendor-credentials", {}, method="POST", json={"name": name, "credentials": KEYS | {"apiKey": key}}
        )
        assert stored.status_code == 201, stored.text
    assert get("/sites", {}).headers["X-Vendor-Calls"] == "solaredge=3"
    # Of the first two one call is left, of the third two.
    cost = get(f"{INVERTERS}?dryRun=true", REFRESH).json["vendors"]["solaredge"]
    assert (cost.keys(), cost["calls"]) == ({"calls", "heldUntil"}, 3)
    assert get(INVERTERS, REFRESH).headers["X-Vendor-Calls"] == "solaredge=3"


def test_a_vendor_that_is_down_costs_nothing_and_stands_in_errors(app, estimate, clouds):
    breaker = app.extensions["services"].clouds["sma"].breakers[SMA]
    for number in range(FAULTS):
        breaker.failed(str(number % WITNESSES).encode())
    body = estimate(headers=HEADERS["sma"])
    assert (body["vendors"], list(body["errors"])) == ({"sma": {"calls": 0}}, ["sma"])


def test_a_fleet_that_cannot_be_counted_in_time_is_at_least_what_was_counted(app, estimate, network):
    services = app.extensions["services"]
    replace(services, settings=replace(services.settings, request_deadline=0.0)).init_app(app)
    body = estimate(headers=HEADERS["sma"] | V2)
    assert body["vendors"]["sma"]["atLeast"] == 0
    assert body["errorDetails"]["sma"]["code"] == "timeout"


def test_a_virtual_client_s_lists_cost_nothing(http, new_client, network):
    form = {"grant_type": "client_credentials"}
    token = http.post("/oauth2/token", data=form, auth=new_client("virtual")).json["access_token"]
    answer = http.get(f"{INVERTERS}?dryRun=true", headers={"Authorization": f"Bearer {token}"})
    assert (answer.json["vendors"], answer.json["errors"]) == ({"virtual": {"calls": 0}}, {})


def test_the_cost_of_solis_pages_beyond_the_kept_ones_is_at_least_the_next(get, estimate, clouds, service_clock):
    rows = [{"id": f"100000000000000000{number}", "stationId": "9", "sn": f"S{number}"} for number in range(3)]
    page = {"code": "0", "data": {"page": {"records": rows, "pages": 2}}}
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", json=page)
    clouds.post(f"{SOLIS}/v1/api/inverterList", status=403)
    get(headers=HEADERS["solis"])
    cost = estimate(headers=HEADERS["solis"])["vendors"]["solis"]
    assert cost["atLeast"] == 1
