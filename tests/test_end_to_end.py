"""End to end: a client's request, real plugins, real sockets, and the sandbox in place of the vendors' clouds."""

import base64
import time

import pytest
import requests

from tests.services import PLAYED_VENDORS, served
from vendors.kit.calls.quota import Quota


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with served(tmp_path_factory.mktemp("fleet")) as service_and_clouds:
        yield service_and_clouds


def test_the_inverters_of_all_vendors_are_in_one_list_without_errors(fleet):
    service, played = fleet
    ids, errors = service.inverters(played.headers())
    assert errors == {}
    assert len(ids) == len(set(ids)) == sum(len(played.inverters(vendor)) for vendor in PLAYED_VENDORS)


@pytest.mark.exhaustive
@pytest.mark.parametrize("vendor", PLAYED_VENDORS)
def test_every_inverter_of_the_fleet_is_returned_as_its_vendor_shows_it(fleet, vendor):
    service, played = fleet
    headers = played.headers(vendor)
    details = {}
    for id in service.inverters(headers)[0]:
        answer = service.get(f"/solar-inverters/{id}", headers)
        assert answer.status_code == 200, answer.text
        assert (answer.json["id"], answer.json["vendor"]) == (id, vendor)
        details[answer.json["vendorID"]] = answer.json
    assert len(details) == len(played.inverters(vendor))
    for device in played.inverters(vendor):
        inverter = next(details[native] for native in reversed(device["ids"].values()) if native in details)
        assert inverter["serialNumber"] == (device["serial"] or "")
        assert inverter["model"] == (device["model"] or "")


@pytest.mark.exhaustive
@pytest.mark.parametrize("vendor", PLAYED_VENDORS)
def test_each_site_has_its_own_site_id_and_the_site_filter_agrees(fleet, vendor):
    service, played = fleet
    headers = played.headers(vendor)
    views = played.get("/truth")["views"][vendor]
    site_ids = set()
    for view in views:
        native = view["site"]
        count = sum(device["kind"] == "solar_inverter" for device in view["devices"])
        ids, errors = service.inverters(headers, f"vendorSiteID={native}&pageSize=1000")
        assert (len(ids), errors) == (count, {})
        site_ids |= {service.get(f"/solar-inverters/{id}", headers).json["siteID"] for id in ids}
    assert len(site_ids) == sum(any(d["kind"] == "solar_inverter" for d in view["devices"]) for view in views)


def test_a_site_of_one_vendor_is_no_error_at_the_others(fleet):
    service, played = fleet
    native = played.get("/truth")["views"]["sma"][0]["site"]
    ids, errors = service.inverters(played.headers(), f"vendorSiteID={native}&pageSize=1000")
    assert (len(ids), errors) == (len(service.inverters(played.headers("sma"), f"vendorSiteID={native}")[0]), {})


def test_a_site_that_its_vendor_no_longer_shows_is_reported_as_such_and_not_as_an_outage(fleet):
    service, played = fleet
    headers = played.headers("tesla") | {"Cache-Control": "no-cache"}
    before = {item["id"] for item in service.get("/sites", headers).json["sites"]}
    played.put("/options/tesla", {"retired": True})
    (retired,) = {item["id"] for item in service.get("/sites", headers).json["sites"]} - before
    answer = service.get(f"/sites/{retired}", headers)
    listed = service.get("/solar-inverters", headers).json
    played.put("/options/tesla", {})
    assert (answer.status_code, answer.json["code"]) == (502, "shown_no_longer")
    assert "no longer" in answer.json["detail"]
    assert "minutes" not in answer.text
    assert "retryAfter" not in answer.json
    assert "incomplete" in listed["errors"]["tesla"]
    assert listed["errorDetails"]["tesla"]["code"] == "shown_no_longer"


def test_the_request_of_the_public_documentation_works_as_written(fleet):
    service, played = fleet
    basic = base64.b64decode(played.headers("solis")["X-Authorization-solis"].split()[1]).decode()
    recipe = base64.b64encode(f"{basic}\n".encode()).decode()
    headers = {
        "X-Authorization-sma": played.headers("sma")["X-Authorization-sma"],
        "X-authorization-solis": f"Basic {recipe}",
    }
    answer = service.get("/solar-inverters", headers | {"api-version": "v1"})
    assert answer.json["errors"] == {}
    assert len(answer.json["solar-inverters"]) == len(played.inverters("sma")) + len(played.inverters("solis"))


def test_a_wrong_solis_secret_is_an_error_of_solis_alone(fleet):
    service, played = fleet
    wrong = base64.b64encode(b"1300000000000000001:ffffffffffffffffffffffffffffffff").decode()
    headers = played.headers() | {"X-Authorization-solis": f"Basic {wrong}"}
    ids, errors = service.inverters(headers)
    assert errors == {"solis": f"Unauthorized: {played.url}/solis/v1/api/inverterList"}
    assert len(ids) == sum(len(played.inverters(vendor)) for vendor in PLAYED_VENDORS if vendor != "solis")


def test_an_account_without_consent_is_an_empty_list(fleet):
    service, played = fleet
    endpoint = played.get("/")["vendors"]["sma"]["token_without_consent"]
    form = {"grant_type": "client_credentials", "scope": endpoint["scope"]}
    auth = (endpoint["client_id"], endpoint["client_secret"])
    token = requests.post(endpoint["url"], data=form, auth=auth, timeout=60).json()["access_token"]
    assert service.inverters({"X-Authorization-sma": f"Bearer {token}"}) == ([], {})


@pytest.mark.parametrize(
    ("vendor", "sites", "first"),
    [("sma", 30, 31), ("solaredge", 30, 31), ("solis", 30, 1), ("solis", 60, 2)],
)
def test_a_list_costs_the_planned_calls_and_its_repetition_none(tmp_path, vendor, sites, first):
    with served(tmp_path, sites) as (service, played):
        headers = played.headers(vendor)
        ids, errors = service.inverters(headers)
        assert errors == {}
        assert len(ids) == len(played.inverters(vendor))
        if vendor == "solis":
            first = -(-len(ids) // 100)
        assert sum(played.calls(vendor).values()) == first
        assert service.inverters(headers) == (ids, {})
        assert played.calls(vendor) == {}


def test_a_fleet_larger_than_the_quota_is_complete_after_some_requests_without_repeated_calls(tmp_path):
    with served(tmp_path, 30) as (service, played):
        headers = played.headers("solaredge")
        now, seen, spent = [time.time()], [], 0
        cloud = service.app.extensions["services"].clouds["solaredge"]
        cloud.quota = Quota("solaredge", cloud.vendor.limits.parallel, clock=lambda: now[0])
        for _ in range(10):
            # Removing the quota and setting it again stands for the hour that passes.
            now[0] += 7200
            played.put("/limits/solaredge", None)
            played.put("/limits/solaredge", {"calls": 10, "seconds": 3600})
            ids, errors = service.inverters(headers)
            seen.append(len(ids))
            calls = played.calls("solaredge")
            spent += sum(calls.values())
            if not errors:
                break
            assert errors["solaredge"].startswith("Too Many Requests: ")
            assert "(incomplete: " in errors["solaredge"]
        assert seen == sorted(seen)
        assert seen[-1] == len(played.inverters("solaredge"))
        assert len(seen) == 4, "31 calls at 10 a period"
        # In each period, at most the calls that were already in flight are refused.
        assert spent <= 31 + 3 * 4


def test_a_token_that_expires_during_a_sweep_is_reported_and_earlier_records_are_listed(fleet):
    service, played = fleet
    headers = played.headers("solaredge")
    service.inverters(headers)
    last = played.get("/truth")["views"]["solaredge"][-1]["site"]
    played.put("/faults/solaredge", {"status": 401, "path": f"/v2/sites/{last}/devices"})
    ids, errors = service.inverters(headers | {"Cache-Control": "no-cache"})
    played.put("/faults/solaredge", {})
    assert errors["solaredge"] == (
        f"Unauthorized: {played.url}/solaredge/v2/sites/{last}/devices (incomplete: 7 of 8 sites)"
    )
    assert ids
