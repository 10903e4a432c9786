"""GET /solar-inverters: the list, its versions, filters and errors."""

import re
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest

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


def test_v2024_09_01_lists_objects_with_ids_and_no_null(get, clouds):
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
    # What a vendor answers for the site of another one.
    clouds.get(re.compile(f"{SMA}/v1/plants/(9|no)/devices/lean"), status=404)
    clouds.get(re.compile(f"{SOLAREDGE}/v2/sites/(9|13|24)/devices"), status=404)
    empty = {"code": "0", "data": {"page": {"records": [], "pages": 0}}}
    if "vendorSiteID=13" in query or "vendorSiteID=24" in query:
        clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", json=empty)
    answer = get(f"/solar-inverters?{query}")
    assert (len(ids_of(answer)), answer.json["errors"]) == (count, {})


@pytest.mark.parametrize("value", ["", " ", "v1, v1", "V1"])
def test_an_empty_or_malformed_version_is_a_400(get, clouds, value):
    for path in ("/solar-inverters", "/sites/site-0000000000000000", "/sites/site-0000000000000000/solar-intervals"):
        answer = get(path, headers=ALL | {"api-version": value})
        assert (answer.status_code, answer.json["code"]) == (400, "unknown_api_version"), path


def test_a_site_filter_asks_only_for_that_site(get, clouds):
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
    other = start_service(replace(settings, public_url="https://derapi.example.org/api"))
    answer = other.test_client().get("/solar-inverters", headers=bearer | HEADERS["solaredge"])
    assert answer.json["solar-inverters"][0].startswith("https://derapi.example.org/api/solar-inverters/solr-")


def test_a_database_that_fails_does_not_fail_a_list(get, app, clouds, monkeypatch):
    get("/solar-inverters?vendor=smasbox")  # The client itself is remembered for some seconds.

    def broken():
        from sqlalchemy.exc import OperationalError

        raise OperationalError("x", {}, Exception())

    monkeypatch.setattr(app.extensions["services"].database, "session", broken)
    assert len(ids_of(get())) == 6
    monkeypatch.undo()
    assert get(f"/solar-inverters/{ids_of(get('/solar-inverters?vendorID=131'))[0]}").status_code == 200


def test_a_locked_database_does_not_delay_a_list(get, app, settings, clouds):
    path = settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        assert len(ids_of(get())) == 6
        assert time.monotonic() - started < 2, "the database waits 5 s for a lock"
        other.execute("ROLLBACK")
    app.extensions["services"].id_table.close()


def test_age_is_that_of_the_oldest_part_of_a_response(get, service_clock, clouds):
    assert get(headers=HEADERS["sma"]).headers["Age"] == "0"
    service_clock.now += 600
    assert get().headers["Age"] == "600", "SMA is cached, the others are new"
    service_clock.now += 1
    assert get("/solar-inverters?vendor=solis").headers["Age"] == "1"
    assert get(headers=ALL | {"Cache-Control": "no-cache"}).headers["Age"] == "0"
