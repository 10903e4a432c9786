"""End to end: stored credentials open the vendors, over real sockets, with the sandbox in place of the clouds."""

import base64

import pytest
import requests

from app.fleet.shown_by import ShownBy
from tests.services import served
from vendors.kit.calls.quota import Quota
from vendors.kit.limits import Rate

# The vendors whose credentials open them without an owner's consent.
OPENED = ("enphasevpp", "sma", "smasbox", "solaredge", "solis")
NO_CACHE = {"Cache-Control": "no-cache"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with served(tmp_path_factory.mktemp("stored")) as service_and_clouds:
        yield service_and_clouds


@pytest.fixture
def service(running):
    """A new client of the service, so that nothing is stored or cached for it."""
    return running[0].another_client()


@pytest.fixture
def played(running):
    """The clouds, without counted calls."""
    for vendor in OPENED:
        running[1].calls(vendor)
    return running[1]


def second_sma(played):
    """Stored SMA credentials of a client whose owners have not agreed to anything."""
    endpoint = played.get("/")["vendors"]["sma"]["token_without_consent"]
    return {
        "vendor": "sma",
        "type": "customgrant",
        "clientID": endpoint["client_id"],
        "clientSecret": endpoint["client_secret"],
    }


def wrong(credentials):
    """The same credentials with another secret of the same form."""
    secret = next(name for name in ("clientSecret", "keySecret", "apiKey") if name in credentials)
    return credentials | {secret: credentials[secret][::-1]}


@pytest.mark.parametrize("vendor", OPENED)
def test_stored_credentials_show_the_same_inverters_as_the_headers(service, played, vendor):
    by_headers = service.inverters(played.headers(vendor))
    service.store(played.credentials(vendor))
    listed = service.inverters()
    assert listed == by_headers
    assert len(listed[0]) == len(played.inverters(vendor))
    assert service.inverters(query=f"vendor={vendor}&pageSize=1000") == listed
    answer = service.get(f"/solar-inverters/{listed[0][0]}")
    assert (answer.status_code, answer.json["vendor"]) == (200, vendor)
    assert service.get(f"/solar-inverters/{listed[0][0]}/intervals?summaryLevel=day").status_code == 200


def test_all_stored_vendors_are_in_one_list(service, played):
    for vendor in OPENED:
        service.store(played.credentials(vendor))
    ids, errors = service.inverters()
    assert errors == {}
    assert len(ids) == sum(len(played.inverters(vendor)) for vendor in OPENED)


def test_headers_and_stored_credentials_of_different_vendors_are_used_together(service, played):
    service.store(played.credentials("solis"))
    ids, errors = service.inverters(played.headers("sma"))
    assert errors == {}
    assert len(ids) == len(played.inverters("solis")) + len(played.inverters("sma"))


def test_two_credentials_of_one_vendor_are_merged_and_a_common_site_is_one(service, played):
    service.store(played.credentials("sma"), "roof A")
    service.store(played.credentials("sma"), "roof A again")
    service.store(second_sma(played), "roof B")
    ids, errors = service.inverters()
    assert (len(ids), errors) == (len(played.inverters("sma")), {})


@pytest.mark.parametrize(
    ("path", "query"),
    [("solar-inverters", ""), ("solar-inverters", "/intervals?summaryLevel=day"), ("sites", ""),
     ("sites", "/solar-intervals?summaryLevel=day")],
)  # fmt: skip
def test_whatever_is_read_is_found_with_the_credentials_that_show_it(service, played, path, query):
    for credentials in (wrong(played.credentials("sma")), second_sma(played), played.credentials("sma")):
        service.store(credentials)
    member = "sites" if path == "sites" else "solarInverters"
    id = service.get(f"/{path}").json[member][0]["id"]
    service.app.extensions["services"].inventory._shown_by = ShownBy()  # As in a process that has made no list.
    answer = service.get(f"/{path}/{id}{query}")
    assert (answer.status_code, answer.json["id"]) == (200, id)
    assert "errors" not in answer.json


def test_a_wrong_secret_hides_nothing_and_is_named_by_its_credentials(service, played):
    service.store(played.credentials("sma"), "roof A")
    wrong_id = service.store(wrong(played.credentials("sma")), "roof B")
    answer = service.get("/solar-inverters?pageSize=1000").json
    assert len(answer["solarInverters"]) == len(played.inverters("sma"))
    assert answer["errors"]["sma"].startswith(f"Unauthorized: {played.url}/sma/oauth2/token")
    assert answer["errors"]["sma"].endswith(' (credentials "roof B")')
    [failed] = answer["errorDetails"]["sma"]["credentials"]
    assert failed == {"id": wrong_id, "name": "roof B", "code": "unauthorized", "status": 403}
    assert answer["errorDetails"]["sma"]["credentialsFailed"] == 1
    id = answer["solarInverters"][0]["id"]
    assert service.get(f"/solar-inverters/{id}").status_code == 200


def test_a_header_wins_over_what_is_stored(service, played):
    service.store(wrong(played.credentials("solis")))
    ids, errors = service.inverters(played.headers("solis"))
    assert (len(ids), errors) == (len(played.inverters("solis")), {})
    assert list(service.inverters()[1]) == ["solis"]


def test_a_malformed_header_is_an_error_and_no_reason_to_use_what_is_stored(service, played):
    service.store(played.credentials("solis"))
    ids, errors = service.inverters({"X-Authorization-solis": "Bearer x"})
    assert ids == []
    assert errors == {"solis": "Unauthorized: X-Authorization-solis must be: Basic base64(<id>:<secret>)"}
    assert played.calls("solis") == {}


def test_an_application_without_consent_is_reported_and_causes_no_call(service, played):
    id = service.store(
        {"vendor": "enphase", "type": "developerapp", "clientID": "made-up", "clientSecret": "made-up", "apiKey": "x"}
    )
    answer = service.get("/solar-inverters").json
    assert answer["solarInverters"] == []
    assert answer["errors"]["enphase"].startswith("Unauthorized: ")
    assert "needs the owner's authorization" in answer["errors"]["enphase"]
    assert [failed["id"] for failed in answer["errorDetails"]["enphase"]["credentials"]] == [id]
    assert played.calls("enphase") == {}


def test_a_vendor_that_this_server_cannot_ask_yet_is_reported_in_lists(service):
    service.store({"vendor": "franklinwh", "type": "partner", "clientID": "made-up", "clientSecret": "made-up"})
    ids, errors = service.inverters()
    assert ids == []
    assert "this server cannot ask it yet" in errors["franklinwh"]
    assert errors["franklinwh"].endswith(' (credentials "roof")')


def test_without_headers_and_stored_credentials_both_ways_are_named(service):
    answer = service.get("/solar-inverters")
    assert (answer.status_code, answer.json["code"]) == (403, "vendor_access_missing")
    assert "X-Authorization-sma" in answer.json["detail"]
    assert "POST /vendor-credentials" in answer.json["detail"]


def test_what_was_deleted_or_changed_opens_nothing_any_longer(service, played):
    id = service.store(played.credentials("solis"))
    assert service.inverters()[1] == {}
    changed = service.call("PATCH", f"/vendor-credentials/{id}", json={"credentials": {"keySecret": "another"}})
    assert changed.status_code == 200
    assert service.inverters()[1]["solis"].startswith("Unauthorized: ")
    assert service.call("DELETE", f"/vendor-credentials/{id}").status_code == 204
    assert service.get("/solar-inverters").json["code"] == "vendor_access_missing"


def test_a_renewed_access_token_fetches_nothing_again_that_is_fresh(service, played):
    service.store(played.credentials("sma"))
    first = service.inverters()
    assert played.calls("sma")["/oauth2/token"] == 1
    requests.delete(f"{played.url}/tokens/sma", timeout=60).raise_for_status()
    assert service.inverters() == first
    assert played.calls("sma") == {}, "no call, and so no token, is needed for what is fresh"
    assert service.inverters(NO_CACHE) == first
    calls = played.calls("sma")
    assert calls.pop("/oauth2/token") == 1, "one renewal, after the vendor has refused the token"
    assert service.inverters() == first
    assert played.calls("sma") == {}


def test_a_hold_outlives_the_renewals_of_the_token(tmp_path):
    with served(tmp_path, 2) as (service, played):
        service.store(played.credentials("sma"))
        assert service.inverters()[1] == {}
        played.put("/faults/sma", {"status": 429, "headers": {"Retry-After": "3600"}, "path": "/v1/plants"})
        assert service.inverters(NO_CACHE)[1]["sma"].startswith("Too Many Requests: ")
        played.put("/faults/sma", {})
        played.calls("sma")
        for _ in range(3):
            requests.delete(f"{played.url}/tokens/sma", timeout=60).raise_for_status()
            answer = service.get("/solar-inverters", NO_CACHE).json
            assert answer["errors"]["sma"].startswith("Too Many Requests: ")
            assert answer["errorDetails"]["sma"]["retryAfter"] > 3500
        assert set(played.calls("sma")) <= {"/oauth2/token"}, "the data are not asked for"


def test_two_clients_with_the_same_stored_key_get_no_reply_of_each_other_and_share_its_quota(running, played):
    anna, ben = running[0].another_client(), running[0].another_client()
    for client in (anna, ben):
        client.store(played.credentials("solis"))
    cloud = running[0].app.extensions["services"].clouds["solis"]
    unlimited, cloud.quota = cloud.quota, Quota("solis", cloud.vendor.limits.parallel, Rate(3, 3600))
    try:
        lists = [client.inverters(headers) for headers in ({}, NO_CACHE) for client in (anna, ben)]
    finally:
        cloud.quota = unlimited
    assert [bool(errors) for _, errors in lists] == [False, False, False, True]
    assert lists[3][1]["solis"].startswith("Too Many Requests: ")
    assert sum(played.calls("solis").values()) == 3, "each client fetches what the other has in its cache"


@pytest.mark.parametrize("vendor", OPENED)
def test_a_check_of_working_credentials_costs_one_call(service, played, vendor):
    id = service.store(played.credentials(vendor))
    for _ in range(2):
        answer = service.call("POST", f"/vendor-credentials/{id}/check")
        assert answer.status_code == 200, answer.text
        assert answer.json == {
            "id": id,
            "result": "works",
            "detail": "The vendor accepts these credentials.",
        }
        calls = {path: count for path, count in played.calls(vendor).items() if "/token" not in path}
        assert sum(calls.values()) == 1, calls


@pytest.mark.parametrize(
    ("vendor", "fault", "result", "code"),
    [
        ("solis", None, "refused", "unauthorized"),
        ("sma", None, "refused", "unauthorized"),
        ("solis", {"status": 503}, "vendor down", "backend_error"),
        ("sma", {"status": 503}, "vendor down", "backend_error"),
        ("solaredge", {"status": 429}, "cannot be asked yet", "rate_limited"),
    ],
)
def test_a_check_says_what_is_wrong_and_what_to_do(tmp_path, vendor, fault, result, code):
    with served(tmp_path, 2) as (service, played):
        credentials = played.credentials(vendor)
        id = service.store(credentials if fault else wrong(credentials))
        played.put(f"/faults/{vendor}", fault or {})
        answer = service.call("POST", f"/vendor-credentials/{id}/check")
        assert (answer.status_code, answer.json["result"], answer.json["code"]) == (200, result, code)
        assert {"detail", "action", "fault"} <= answer.json.keys()
        for secret in credentials.values():
            assert secret in (vendor, credentials["type"]) or secret not in answer.text


def test_a_check_tells_missing_consent_and_a_vendor_that_cannot_be_asked(service, played):
    app = {"clientID": "made-up", "clientSecret": "made-up"}
    for credentials, result in (
        ({"vendor": "tesla", "type": "app", **app}, "needs consent"),
        ({"vendor": "franklinwh", "type": "partner", **app}, "cannot be asked yet"),
    ):
        id = service.store(credentials)
        assert service.call("POST", f"/vendor-credentials/{id}/check").json["result"] == result


def test_another_clients_credentials_cannot_be_checked(service, running, played):
    id = service.store(played.credentials("solis"))
    other = running[0].another_client()
    answers = [
        other.call("POST", f"/vendor-credentials/{each}/check", headers={"X-Request-ID": "same"})
        for each in (id, "cred-0000000000000000", "%00")
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.data for answer in answers}) == 1
    assert played.calls("solis") == {}


def test_the_command_checks_any_clients_credentials(running, service, played):
    works = service.store(played.credentials("solis"), "roof A")
    refused = service.store(wrong(played.credentials("solis")), "roof B")
    runner = running[0].app.test_cli_runner()
    result = runner.invoke(args=["credentials", "check", works])
    assert (result.exit_code, "works" in result.stdout, works in result.stdout) == (0, True, True)
    result = runner.invoke(args=["credentials", "check", refused])
    assert (result.exit_code, "refused" in result.stdout) == (1, True)
    result = runner.invoke(args=["credentials", "check", "cred-0000000000000000"])
    assert (result.exit_code, "There are no stored credentials" in result.stderr) == (1, True)
    basic = base64.b64decode(played.headers("solis")["X-Authorization-solis"].split()[1]).decode()
    assert basic.partition(":")[2] not in result.output
