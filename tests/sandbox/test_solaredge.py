"""SolarEdge v2: credentials, sites, devices, and series in every resolution."""

from datetime import datetime
from typing import Any

import pytest

from sandbox import create_app
from tests.sandbox.callers import Caller, Clocks
from tests.sandbox.solaredge import SITE


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}])
def test_without_a_good_credential_the_answer_is_a_problem_with_a_trace(caller: Caller, headers: dict[str, str]):
    answer = caller.http.get("/solaredge/v2/sites", headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.json["detail"] == "Invalid API key"
    assert answer.headers["x-ratelimit-limit-minute"] == "100000"


def test_an_owners_token_reads_one_site_and_no_lists(caller: Caller):
    access = caller.vendors["solaredge"]["site_access"]
    headers = {"Authorization": access["headers"]["X-Authorization-solaredge"]}
    statuses = {
        path: caller.http.get(f"/solaredge/v2{path}", headers=headers).status_code
        for path in (f"/sites/{access['site']}", "/sites/1000014", "/sites", "/alerts")
    }
    assert statuses == {"/sites/1000001": 200, "/sites/1000014": 403, "/sites": 403, "/alerts": 403}


@pytest.mark.parametrize("path", ["/sites/list", "/site/1000001/details", "/v20/sites"])
def test_the_first_version_is_gone(caller: Caller, path: str):
    answer = caller.http.get(f"/solaredge{path}?api_key=key")
    assert (answer.status_code, answer.mimetype) == (410, "text/plain")


def test_sites_come_in_pages_of_50_unless_asked_otherwise():
    clocks = Clocks(datetime(2026, 6, 21, 12).timestamp())
    caller = Caller(create_app(60).test_client(), clocks)
    pages = [caller.get("solaredge", "/v2/sites", page=page).json["sites"]["site"] for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [50, 10, 0]
    whole = caller.get("solaredge", "/v2/sites", **{"sites-in-page": 1000}).json["sites"]
    assert whole == {"count": 60, "site": pages[0] + pages[1]}


@pytest.mark.parametrize("query", [{"sites-in-page": 1001}, {"sites-in-page": 0}, {"page": 0}, {"page": "x"}])
def test_a_page_out_of_range_is_a_bad_request(caller: Caller, query: dict[str, Any]):
    assert caller.get("solaredge", "/v2/sites", **query).status_code == 400


def test_the_zone_of_a_site_is_in_its_detail_only(caller: Caller):
    listed = caller.get("solaredge", "/v2/sites").json["sites"]["site"][2]
    detail = caller.get("solaredge", f"/v2/sites/{listed['siteId']}").json
    assert "timezone" not in listed["location"]
    assert detail["location"]["timezone"] == "Asia/Kolkata"
    assert detail["peakPower"] == caller.truth()["sites"][2]["pv_kwp"]


def test_only_inverters_are_listed_unless_types_are_named(caller: Caller):
    def types(*wanted: str) -> list[str]:
        return [one["type"] for one in caller.get("solaredge", f"{SITE}/devices", types=wanted).json]

    assert set(types()) == {"INVERTER"}
    assert types("BATTERY") == ["BATTERY"]
    assert types("METER", "BATTERY") == ["BATTERY", "METER"]
    assert types("OPTIMIZER") == []
    assert caller.get("solaredge", f"{SITE}/devices", types="TOASTER").status_code == 400


def test_the_serial_of_an_inverter_ends_in_the_sum_of_its_bytes(caller: Caller):
    for device in caller.get("solaredge", f"{SITE}/devices").json:
        digits, checksum = device["serialNumber"].split("-")
        assert sum(bytes.fromhex(digits)) % 256 == int(checksum, 16)


def test_there_are_no_alerts(caller: Caller):
    assert caller.get("solaredge", f"{SITE}/alerts").json == caller.get("solaredge", "/v2/alerts").json == []


def test_alerts_are_switched_on_and_come_in_pages_open_or_all(caller: Caller):
    caller.http.put("/options/solaredge", json={"alerts": True})
    opened = caller.get("solaredge", f"{SITE}/alerts", **{"only-open": "true"}).json
    assert {alert["status"] for alert in opened} == {"OPEN"}
    serials = [one["serialNumber"] for one in caller.get("solaredge", f"{SITE}/devices").json]
    assert [alert["component"]["serialNumber"] for alert in opened] == serials
    pages = [caller.get("solaredge", f"{SITE}/alerts", page=page).json for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, 20 + len(opened), 0]
    ids = [alert["alertId"] for page in pages for alert in page]
    assert len(set(ids)) == len(ids)
    assert {alert["siteId"] for alert in pages[0]} == {1000001}
    fleet = [caller.get("solaredge", "/v2/alerts", page=page).json for page in range(1, 12)]
    assert {alert["siteId"] for page in fleet for alert in page} > {1000001}


def test_some_batteries_are_asked_for_by_their_serial_numbers(caller: Caller):
    window = {"from": "2026-06-20T00:00:00", "to": "2026-06-20T12:00:00", "resolution": "QUARTER_HOUR"}
    sites = [one["siteId"] for one in caller.get("solaredge", "/v2/sites").json["sites"]["site"]]
    listed = {
        f"/v2/sites/{site}": [
            one["serialNumber"] for one in caller.get("solaredge", f"/v2/sites/{site}/devices", types="BATTERY").json
        ]
        for site in sites
    }
    site, (one, other) = next((site, serials) for site, serials in listed.items() if len(serials) == 2)
    whole = caller.get("solaredge", f"{site}/storage/telemetry", **window).json
    assert caller.get("solaredge", f"{site}/storage/{one},{other}/telemetry", **window).json == whole
    alone = caller.get("solaredge", f"{site}/storage/{other}/telemetry", **window).json
    assert alone["storage"] == {other: whole["storage"][other]}
    assert caller.get("solaredge", f"{site}/storage/{one},x/telemetry", **window).status_code == 404


def test_environmental_benefits_grow_with_the_production(caller: Caller):
    def benefits(site: str, **query: Any) -> dict[str, Any]:
        return dict(caller.get("solaredge", f"{site}/environmental-benefits", **query).json)  # type: ignore[arg-type]

    metric, imperial = benefits(SITE), benefits(SITE, unit="IMPERIAL")
    assert metric == benefits(SITE, unit="METRIC")
    assert imperial["co2Emissions"] / metric["co2Emissions"] == pytest.approx(2.2046, abs=1e-3)
    caller.clocks.wait(86_400)
    assert benefits(SITE)["evMiles"] > metric["evMiles"] > 0
    assert caller.get("solaredge", f"{SITE}/environmental-benefits", unit="STONES").status_code == 400


@pytest.mark.parametrize("path", ["/v2/sites/1", f"{SITE}/inverters/x/power", f"{SITE}/storage/BATT-000000/colour"])
def test_what_is_unknown_is_not_found(caller: Caller, path: str):
    assert caller.get("solaredge", path).status_code == 404
