"""X-Vendor-Calls: what a request has cost at each vendor that it addresses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.app.support import ALL, SMA, SOLAREDGE, SOLIS, ids_of
from tests.vendors.support import HEADERS

NAME = "X-Vendor-Calls"
DETAIL = f"{SOLIS}/v1/api/inverterDetail"
STORED = {"vendor": "sma", "type": "customgrant", "clientID": "made-up", "clientSecret": "made-up-secret"}


def cost(answer):
    return answer.headers[NAME]


@pytest.fixture
def no_pause(app):
    """Retries do not wait."""
    for cloud in app.extensions["services"].clouds.values():
        cloud.pause = 0.0


def test_a_list_shows_its_calls_at_each_vendor_and_0_for_what_was_kept(get, clouds):
    assert cost(get()) == "sma=3, solaredge=2, solis=1"
    assert cost(get()) == "sma=0, solaredge=0, solis=0"
    assert cost(get("/batteries")) == "sma=0, solaredge=0, solis=0"
    assert cost(get(headers=ALL | {"Cache-Control": "no-cache"})) == "sma=3, solaredge=2, solis=1"


def test_a_filtered_list_names_all_addressed_vendors_and_calls_only_one(get, clouds):
    assert cost(get("/solar-inverters?vendor=solis")) == "sma=0, solaredge=0, solis=1"


def test_vendors_that_do_not_exist_are_left_out_and_those_with_an_unusable_header_cost_nothing(get, clouds):
    headers = {"X-Authorization-nothing": "x", "X-Authorization-sma": "no token"} | HEADERS["solis"]
    assert cost(get(headers=headers)) == "sma=0, solis=1"


def test_retries_stand_apart(get, clouds, no_pause):
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=503)
    assert cost(get(headers=HEADERS["solis"])) == "solis=1;retries=1"


def test_renewals_of_access_tokens_stand_apart(http, bearer, clouds):
    clouds.post("https://auth.smaapis.de/oauth2/token", json={"access_token": "made-up-token", "expires_in": 300})
    stored = http.post("/vendor-credentials", headers=bearer, json={"name": "roof", "credentials": STORED})
    assert stored.status_code == 201, stored.text
    assert cost(http.get("/sites", headers=bearer)) == "sma=1;renewals=1"
    assert cost(http.post(f"/vendor-credentials/{stored.json['id']}/check", headers=bearer)) == "sma=1"


def test_an_exchange_that_is_refused_has_ended_although_no_other_token_is_to_be_had(http, bearer, clouds, no_pause):
    endpoint = "https://auth.smaapis.de/oauth2/token"
    clouds.post(endpoint, json={"access_token": "made-up-token", "expires_in": 300})
    clouds.post(endpoint, status=400, json={"error": "invalid_client"})
    clouds.replace("GET", f"{SMA}/v1/plants", status=401)
    http.post("/vendor-credentials", headers=bearer, json={"name": "roof", "credentials": STORED})
    assert cost(http.get("/sites", headers=bearer)) == "sma=1;renewals=2"


def test_single_reads_and_intervals_show_their_calls_and_errors_as_well(get, clouds):
    id = ids_of(get(headers=HEADERS["sma"]))[0]
    assert cost(get(f"/solar-inverters/{id}", headers=HEADERS["sma"])) == "sma=4"
    path = f"/solar-inverters/{id}/intervals?summaryLevel=hour&start=2026-01-05&end=2026-01-06"
    assert cost(get(path, headers=HEADERS["sma"])) == "sma=1"
    clouds.replace("GET", f"{SMA}/v1/devices/131", status=403)
    answer = get(f"/solar-inverters/{id}", headers=HEADERS["sma"] | {"Cache-Control": "no-cache"})
    assert (answer.status_code, answer.json["code"], cost(answer)) == (403, "forbidden", "sma=1")


def test_a_request_that_addresses_no_vendor_has_no_such_header_not_even_after_one_that_does(get, clouds):
    get()
    for path in ("/health", "/sites?pageSize=none"):
        assert NAME not in get(path).headers


def test_a_request_that_waits_for_another_request_s_equal_call_costs_nothing(app, http, get, clouds):
    began, may_end = threading.Event(), threading.Event()

    def answer(request):
        began.set()
        assert may_end.wait(30)
        return 200, {}, '{"plants": []}'

    clouds.remove("GET", f"{SMA}/v1/plants")
    clouds.add_callback("GET", f"{SMA}/v1/plants", answer)
    cloud = app.extensions["services"].clouds["sma"]
    cloud.observers += (lambda event: may_end.set() if event.kind == "shared" else None,)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, "/sites", HEADERS["sma"])
        assert began.wait(30)
        second = pool.submit(get, "/sites", HEADERS["sma"])
        assert sorted([cost(first.result()), cost(second.result())]) == ["sma=0", "sma=1"]


def test_calls_that_have_not_ended_at_the_deadline_make_the_count_incomplete(settings, start_service, clouds):
    service = start_service(replace(settings, request_deadline=0.3))
    http = service.test_client()
    auth = service.extensions["services"].clients.create("test", "production", "v1")
    token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth).json["access_token"]
    may_end = threading.Event()

    def hang(request):
        may_end.wait(30)
        return 200, {}, '{"sites": {"site": []}}'

    clouds.remove("GET", f"{SOLAREDGE}/v2/sites")
    clouds.add_callback("GET", f"{SOLAREDGE}/v2/sites", hang)
    answer = http.get("/sites", headers=HEADERS["solaredge"] | {"Authorization": f"Bearer {token}"})
    may_end.set()
    assert (answer.json["errors"], cost(answer)) == (
        {"solaredge": f"Gateway Timeout: {SOLAREDGE}/v2/sites"},
        "solaredge=1;incomplete",
    )
