"""GET /solar-inverters: the list, its versions, filters and errors."""

import re
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from tests.app.support import ALL, SMA, SOLAREDGE, SOLIS, V2, ids_of
from tests.vendors.support import HEADERS

ID = re.compile(r"solr-[0-9a-z]{16}")


def test_v1_lists_absolute_urls_of_all_vendors_inverters_and_an_empty_errors_object(get, clouds):
    answer = get()
    assert answer.status_code == 200
    assert set(answer.json) == {"solar-inverters", "errors"}
    assert answer.json["errors"] == {}
    assert len(answer.json["solar-inverters"]) == 6
    for url in answer.json["solar-inverters"]:
        assert url.startswith("http://localhost/solar-inverters/")
        assert ID.fullmatch(url.rsplit("/", 1)[1])


def test_v2024_09_01_lists_objects_that_hold_an_id_only(get, clouds):
    answer = get(headers=ALL | V2)
    assert set(answer.json) == {"solarInverters", "errors"}
    assert [set(item) for item in answer.json["solarInverters"]] == [{"id"}] * 6


def test_both_versions_list_the_same_ids_in_the_same_order(get, clouds):
    assert ids_of(get()) == [item["id"] for item in get(headers=ALL | V2).json["solarInverters"]]
    assert ids_of(get()) == sorted(ids_of(get()))


def test_a_client_pinned_to_a_version_needs_no_header(http, new_client, clouds):
    token = http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client(api_version="v2024-09-01")
    ).json["access_token"]
    answer = http.get("/solar-inverters", headers=ALL | {"Authorization": f"Bearer {token}"})
    assert "solarInverters" in answer.json


def test_an_unknown_version_is_a_400_that_names_the_header(get):
    answer = get(headers=ALL | {"api-version": "v2"})
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_api_version")
    assert "api-version" in answer.json["detail"]


def test_a_failing_vendor_does_not_affect_the_others(get, clouds):
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=403)
    answer = get()
    assert len(ids_of(answer)) == 3
    assert answer.json["errors"] == {"solis": f"Unauthorized: {SOLIS}/v1/api/inverterList"}


def test_error_details_say_code_status_fault_and_what_to_do(get, clouds):
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites", status=429, headers={"Retry-After": "30"})
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=410)
    details = get(headers=ALL | V2).json["errorDetails"]
    assert details["solaredge"] == {
        "code": "rate_limited",
        "status": 429,
        "detail": "The vendor's quota for this credential is spent.",
        "fault": "caller",
        "action": "Wait for the time in retryAfter before asking for this vendor again.",
        "url": f"{SOLAREDGE}/v2/sites",
        "retryAfter": 30,
    }
    assert (details["solis"]["code"], details["solis"]["fault"]) == ("api_retired", "server")
    assert "errorDetails" not in get().json, "version v1 stays as it was"


def test_an_error_never_shows_a_query_string(get, clouds):
    clouds.replace("GET", f"{SMA}/v1/plants", status=500)
    assert get().json["errors"] == {"sma": f"Bad Gateway: {SMA}/v1/plants"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("vendor=solis", 3),
        ("vendor=virtual", 0),
        ("vendorID=131", 1),
        ("vendorID=nothing", 0),
        ("vendorSiteID=13", 1),
        ("vendorSiteID=9", 3),
        ("vendor=sma&vendorSiteID=24&vendorID=241", 1),
        ("vendor=sma&vendorSiteID=24&vendorID=131", 0),
    ],
)
def test_filters_are_combined_with_and(get, clouds, query, count):
    # Each vendor's reply about a site id that is another vendor's.
    clouds.get(re.compile(f"{SMA}/v1/plants/(9|no)/devices/lean"), status=404)
    clouds.get(re.compile(f"{SOLAREDGE}/v2/sites/(9|13|24)/devices"), status=404)
    no_inverters = {"code": "0", "data": {"page": {"records": [], "pages": 0}}}
    if "vendorSiteID=13" in query or "vendorSiteID=24" in query:
        clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", json=no_inverters)
    answer = get(f"/solar-inverters?{query}")
    assert (len(ids_of(answer)), answer.json["errors"]) == (count, {})


@pytest.mark.parametrize("value", ["", " ", "v1, v1", "V1"])
def test_an_empty_or_malformed_version_is_a_400(get, clouds, value):
    for path in ("/solar-inverters", "/sites/site-0000000000000000", "/sites/site-0000000000000000/solar-intervals"):
        answer = get(path, headers=ALL | {"api-version": value})
        assert (answer.status_code, answer.json["code"]) == (400, "unknown_api_version"), path


def test_with_a_site_filter_only_the_devices_of_that_site_are_requested(get, clouds):
    get("/solar-inverters?vendor=sma&vendorSiteID=24")
    assert [call.request.url for call in clouds.calls] == [f"{SMA}/v1/plants/24/devices/lean"]


@pytest.mark.parametrize("site", ["..", "a%2Fb", "%253F", "a%5Cb"])
def test_a_site_id_that_does_not_fit_into_a_path_lists_nothing_and_makes_no_call(get, network, site):
    answer = get(f"/solar-inverters?vendorSiteID={site}")
    assert (ids_of(answer), answer.json["errors"], len(network.calls)) == ([], {}, 0)


def test_head_answers_like_get_without_a_body(http, bearer, clouds):
    answer = http.head("/solar-inverters", headers=bearer | ALL)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"", "application/json")


@pytest.mark.parametrize("path", ["/solar-inverters/", "/solar-inverters//", "/.//solar-inverters"])
def test_slashes_are_not_corrected_by_redirects(get, path):
    assert get(path).status_code == 404


def test_links_begin_with_public_url(settings, start_service, bearer, clouds):
    service = start_service(replace(settings, public_url="https://derapi.example.org/api"))
    answer = service.test_client().get("/solar-inverters", headers=bearer | HEADERS["solaredge"])
    assert answer.json["solar-inverters"][0].startswith("https://derapi.example.org/api/solar-inverters/solr-")


def test_a_database_that_fails_does_not_fail_a_list(get, app, clouds, monkeypatch):
    # Lists nothing, but caches the caller's client, without which a failing database refuses the bearer token.
    get("/solar-inverters?vendor=smasbox")

    def failing_session():
        raise OperationalError("x", {}, Exception())

    monkeypatch.setattr(app.extensions["services"].database, "session", failing_session)
    assert len(ids_of(get())) == 6
    monkeypatch.undo()
    assert get(f"/solar-inverters/{ids_of(get('/solar-inverters?vendorID=131'))[0]}").status_code == 200


def test_a_locked_database_does_not_delay_a_list(get, app, settings, clouds):
    path = settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other_connection:
        other_connection.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        assert len(ids_of(get())) == 6
        assert time.monotonic() - started < 2, "the database waits 5 s for a lock"
        other_connection.execute("ROLLBACK")
    # Waits until the queued ids are written, so that the thread does not outlive the test.
    app.extensions["services"].id_table.close()


def test_age_is_that_of_the_oldest_part_of_a_response(get, service_clock, clouds):
    assert get(headers=HEADERS["sma"]).headers["Age"] == "0"
    service_clock.now += 600
    assert get().headers["Age"] == "600", "SMA's replies are cached, those of Solis and SolarEdge are new"
    service_clock.now += 1
    assert get("/solar-inverters?vendor=solis").headers["Age"] == "1"
    assert get(headers=ALL | {"Cache-Control": "no-cache"}).headers["Age"] == "0"
