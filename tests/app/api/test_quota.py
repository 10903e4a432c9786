"""GET /quota: what is known of the quotas of a caller's vendors, without a call."""

import time
from dataclasses import replace
from datetime import datetime

import pytest

from tests.app.support import ALL, ENPHASE, SMA, SOLAREDGE, SOLIS, V2
from tests.vendors.support import HEADERS
from vendors.kit import Credential

REFRESH = {"Cache-Control": "no-cache"}
UNKNOWN = dict.fromkeys(
    ("limit", "limitSeconds", "spent", "left", "resetsAt", "source", "heldUntil", "heldSource", "credentials")
)
KEYS = {"vendor": "solaredge", "type": "apikey"}


class Caller:
    """A new client of a service."""

    def __init__(self, service, mode="production"):
        self._http = service.test_client()
        auth = service.extensions["services"].clients.create("test", mode, "v1")
        form = {"grant_type": "client_credentials"}
        self._token = self._http.post("/oauth2/token", data=form, auth=auth).json["access_token"]

    def get(self, path, headers=None, **options):
        headers = {"Authorization": f"Bearer {self._token}"} | (headers or {})
        return self._http.open(path, headers=headers, **options)

    def store(self, name, key):
        body = {"name": name, "credentials": KEYS | {"apiKey": key}}
        answer = self.get("/vendor-credentials", method="POST", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json["id"]

    def quotas(self, headers=None, query=""):
        answer = self.get(f"/quota{query}", headers)
        assert answer.status_code == 200, answer.text
        assert answer.json["errors"] == {}
        return answer.json["quotas"]


@pytest.fixture
def start(settings, start_service):
    """Starts a service with these limits, whose clients it makes."""

    def start(redis_url=None, **limits):
        service = start_service(replace(settings, vendor_limits=limits, redis_url=redis_url))
        return Caller(service)

    return start


def seconds_until(time_text):
    return datetime.fromisoformat(time_text).timestamp() - time.time()


def test_what_is_unknown_is_null_and_never_0(start, network):
    assert start().quotas(HEADERS["sma"]) == [UNKNOWN | {"vendor": "sma", "scope": "per credential"}]


def test_the_published_limit_is_known_before_any_call(start, network):
    [quota] = start().quotas(HEADERS["solis"])
    published = {"limit": 2, "limitSeconds": 1, "spent": 0, "left": 2, "source": "published", "scope": "per keyID"}
    assert quota == UNKNOWN | published | {"vendor": "solis"}


def test_a_limit_of_our_own_is_a_bound_whose_spent_calls_are_counted_and_reading_it_spends_none(start, clouds):
    caller = start(sma=(5, 3600))
    caller.get("/sites", HEADERS["sma"])
    caller.get("/solar-inverters", HEADERS["sma"])
    clouds.calls.reset()
    for _ in range(3):
        [quota] = caller.quotas(HEADERS["sma"])
    assert (quota["limit"], quota["limitSeconds"], quota["spent"], quota["left"]) == (5, 3600, 3, 2)
    assert (quota["source"], quota["heldUntil"]) == ("bound", None)
    assert 3500 < seconds_until(quota["resetsAt"]) < 3602
    assert len(clouds.calls) == 0
    assert caller.get("/solar-inverters", HEADERS["sma"] | REFRESH).headers["X-Vendor-Calls"] == "sma=2"
    assert caller.quotas(HEADERS["sma"])[0]["left"] == 0


def test_the_vendor_s_statement_is_shown_where_fewer_calls_are_left(start, clouds):
    left = {"x-ratelimit-limit-minute": "10", "x-ratelimit-remaining-minute": "4"}
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites", json={"sites": {"site": []}}, headers=left)
    for limit, source in ((100, "vendor"), (3, "bound")):
        caller = start(solaredge=(limit, 3600))
        caller.get("/sites", HEADERS["solaredge"])
        [quota] = caller.quotas(HEADERS["solaredge"])
        assert quota["source"] == source
    caller = start()
    caller.get("/sites", HEADERS["solaredge"])
    [quota] = caller.quotas(HEADERS["solaredge"])
    stated = {"limit": 10, "limitSeconds": 60, "spent": 6, "left": 4, "source": "vendor"}
    assert quota == UNKNOWN | stated | {"vendor": "solaredge", "scope": "per credential"}


@pytest.mark.parametrize("values", [("none", "4"), ("10", "-1"), ("10", "11"), ("0", "0"), ("1e400", "1"), ("10", "")])
def test_a_statement_that_makes_no_sense_is_none(start, clouds, values):
    headers = dict(zip(("x-ratelimit-limit-minute", "x-ratelimit-remaining-minute"), values, strict=True))
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites", json={"sites": {"site": []}}, headers=headers)
    caller = start()
    assert caller.get("/sites", HEADERS["solaredge"]).json["errors"] == {}
    assert caller.quotas(HEADERS["solaredge"])[0]["source"] is None


@pytest.mark.parametrize(
    ("headers", "source", "least", "most"), [({"Retry-After": "300"}, "vendor", 290, 302), ({}, "bound", 0, 4)]
)
def test_a_hold_has_its_end_and_says_who_has_named_it(start, clouds, headers, source, least, most):
    caller = start()
    clouds.replace("GET", f"{SMA}/v1/plants", status=429, headers=headers)
    caller.get("/sites", HEADERS["sma"])
    [quota] = caller.quotas(HEADERS["sma"])
    assert quota["heldSource"] == source
    assert least < seconds_until(quota["heldUntil"]) < most
    assert quota["heldUntil"].endswith("+00:00")


def test_a_pause_that_a_success_asks_for_is_a_hold_by_the_vendor(start, network):
    spent = {"RateLimit-Remaining": "0", "RateLimit-Reset": "120"}
    network.get("https://fleet-api.prd.na.vn.cloud.tesla.com/api/1/products", json={"response": []}, headers=spent)
    caller = start()
    caller.get("/sites", HEADERS["tesla"])
    [quota] = caller.quotas(HEADERS["tesla"])
    assert (quota["heldSource"], quota["limit"]) == ("vendor", None)
    assert 110 < seconds_until(quota["heldUntil"]) < 122


def test_stored_credentials_are_named_and_those_that_share_a_quota_show_the_same(start, clouds):
    caller = start(solaredge=(10, 3600))
    ids = [caller.store(name, key) for name, key in (("a", "made-up-key-1"), ("b", "made-up-key-1"), ("c", "other"))]
    caller.get("/sites")
    quotas = caller.quotas()
    assert [quota["credentials"] for quota in quotas] == [
        {"id": id, "name": name} for id, name in zip(ids, "abc", strict=True)
    ]
    assert [quota["spent"] for quota in quotas] == [2, 2, 1]


def test_the_scope_names_the_shared_member_and_no_hash_or_secret_is_shown(start, network):
    caller = start()
    answer = caller.get("/quota", HEADERS["enphase"] | HEADERS["solis"] | HEADERS["sma"])
    scopes = {quota["vendor"]: quota["scope"] for quota in answer.json["quotas"]}
    assert scopes == {"enphase": "per apiKey", "solis": "per keyID", "sma": "per credential"}
    secrets = Credential({str(number): value for number, value in enumerate(HEADERS["enphase"].values())}).secrets
    assert not [secret for secret in secrets if secret in answer.text]


def test_two_keys_of_an_owner_with_one_application_show_one_quota(start, network):
    network.get(f"{ENPHASE}/api/v4/systems", json={"total": 0, "systems": []})
    caller = start(enphase=(10, 60))
    caller.get("/sites", HEADERS["enphase"])
    other_owner = HEADERS["enphase"] | {"X-Authorization-enphase": "Bearer another-made-up-token"}
    assert caller.quotas(other_owner)[0]["spent"] == 1


def test_the_filter_narrows_it_to_a_vendor_and_an_unknown_vendor_is_refused(start, network):
    caller = start()
    assert [quota["vendor"] for quota in caller.quotas(ALL, "?vendor=solis")] == ["solis"]
    assert caller.get("/quota?vendor=none", ALL).json["code"] == "validation_error"
    assert caller.get("/quota?page=1", ALL).status_code == 400


def test_a_header_that_cannot_be_used_is_in_errors(start, network):
    answer = start().get("/quota", {"X-Authorization-sma": "no token"} | HEADERS["solis"] | V2)
    assert [quota["vendor"] for quota in answer.json["quotas"]] == ["solis"]
    assert list(answer.json["errors"]) == list(answer.json["errorDetails"]) == ["sma"]
    assert answer.headers["X-Vendor-Calls"] == "sma=0, solis=0"


def test_without_any_credential_it_is_refused_like_a_list(start, network):
    answer = start().get("/quota")
    assert (answer.status_code, answer.json["code"]) == (403, "vendor_access_missing")


def test_a_virtual_client_has_no_quotas(app, network):
    answer = Caller(app, "virtual").get("/quota")
    assert (answer.status_code, answer.json["quotas"]) == (200, [])


def test_one_process_without_redis_says_that_it_counts_only_its_own_calls(start, network):
    assert start().get("/quota", ALL).json["countedBy"] == "this process"


def test_two_services_on_one_redis_show_the_calls_holds_and_statements_of_both(start, clouds, redis_url):
    first, second = (start(redis_url, sma=(5, 3600)) for _ in range(2))
    left = {"x-ratelimit-limit-minute": "10", "x-ratelimit-remaining-minute": "4"}
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites", json={"sites": {"site": []}}, headers=left)
    first.get("/solar-inverters", HEADERS["sma"])
    second.get("/sites", HEADERS["sma"])
    first.get("/sites", HEADERS["solaredge"])
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=429)
    second.get("/solar-inverters", HEADERS["solis"])
    shown = [caller.get("/quota", ALL).json for caller in (first, second)]
    assert shown[0] == shown[1]
    assert shown[0]["countedBy"] == "all processes"
    sma, solaredge, solis = shown[0]["quotas"]
    assert (sma["spent"], sma["left"]) == (4, 1)
    assert (solaredge["left"], solaredge["source"]) == (4, "vendor")
    assert (solis["heldSource"], solis["source"]) == ("bound", "published")


def test_with_a_redis_that_does_not_answer_a_process_shows_its_own_calls_and_says_so(start, clouds):
    caller = start("redis://127.0.0.1:1/0", sma=(5, 3600))
    caller.get("/sites", HEADERS["sma"])
    answer = caller.get("/quota", HEADERS["sma"]).json
    assert (answer["quotas"][0]["spent"], answer["countedBy"]) == (1, "this process")
