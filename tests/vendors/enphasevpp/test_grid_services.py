"""Enphase's Grid Services API: credentials, programs, errors, and requested rows."""

from datetime import UTC, datetime

import pytest

from tests.vendors.enphasevpp.played import PROGRAMS, SEARCH, error_of, programs, swept, systems
from tests.vendors.support import BASE, HEADERS, credential_of, open_vendor
from vendors.enphase import EnphaseVpp
from vendors.kit import Client, Level, Unauthorized
from vendors.kit.calls.sweep import Sweep
from vendors.kit.series.read import intervals as read_intervals
from vendors.kit.series.windows import RequestedWindow


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"X-enphasevpp-api-key": "own", "X-enphase-api-key": "other"}, "own"),
        ({"X-enphase-api-key": "other"}, "other"),
    ],
)
def test_the_key_comes_from_the_vendor_s_header_or_else_from_enphase_s(network, headers, key):
    network.get(PROGRAMS, json=programs())
    bearer = {"X-Authorization-enphasevpp": "Bearer t"}
    list(open_vendor("enphasevpp", headers=bearer | headers).sites())
    assert network.calls[0].request.headers["x-api-key"] == key
    assert network.calls[0].request.headers["Authorization"] == "Bearer t"


def test_without_a_key_the_error_names_the_first_header():
    with pytest.raises(Unauthorized, match="X-enphasevpp-api-key is missing"):
        credential_of(EnphaseVpp, "enphasevpp", {"X-Authorization-enphasevpp": "Bearer t"})


def test_a_site_in_two_programs_is_one_site_and_costs_one_call_for_its_devices(network):
    network.get(PROGRAMS, json=programs("a", "b"))
    network.get(f"{SEARCH}/a", json=systems(1, 2))
    network.get(f"{SEARCH}/b", json=systems(2, 3))
    for site in (1, 2, 3):
        network.get(
            f"{BASE}/api/v1/systems/{site}/devices", json={"devices": {"micros": [{"serial_number": f"9{site}"}]}}
        )
    assert [site.vendor_id for site in open_vendor("enphasevpp").sites()] in (["1", "2", "3"], ["2", "3", "1"])
    network.calls.reset()
    assert len(swept("devices").records) == 3
    assert len(network.calls) == 1 + 2 + 3


def test_a_404_of_a_program_without_sites_is_an_empty_list(network):
    status, body = error_of("No sites were found")
    assert status == 404
    network.get(PROGRAMS, json=programs("a"))
    network.get(f"{SEARCH}/a", status=status, json=body)
    sweep = swept()
    assert (sweep.records, sweep.failure) == ([], None)


def test_a_program_that_fails_is_reported_as_missing(network):
    status, body = error_of("Please provide valid Program ID")
    network.get(PROGRAMS, json=programs("a", "b"))
    network.get(f"{SEARCH}/a", json=systems(1))
    network.get(f"{SEARCH}/b", status=status, json=body)
    sweep = swept()
    assert len(sweep.records) == 1
    assert sweep.incomplete == " (incomplete: 1 of 2 programs)"


def test_the_id_of_a_program_may_have_blanks_and_stars(network):
    network.get(PROGRAMS, json=programs("All Systems*_Demo"))
    network.get(f"{SEARCH}/All%20Systems%2A_Demo", json=systems())
    assert swept().failure is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Forbidden", "unauthorized"),
        ("x-api-key is not provided or invalid", "unauthorized"),
        ("x-api-key is not valid for this account", "unauthorized"),
        ("No account found for specified Authorization", "unauthorized"),
        ("You do not have access to this resource", "forbidden"),
        ("Site is not enrolled", "not_found"),
        ("Requested resource Not Found", "not_found"),
        ("Error occurred while getting response from downstream", "backend_error"),
    ],
)
def test_a_documented_error_has_its_meaning(network, text, code):
    status, body = error_of(text, 403 if code in ("unauthorized", "forbidden") or "enrolled" in text else None)
    network.get(PROGRAMS, status=status, json=body)
    assert swept().failure.code == code


@pytest.mark.parametrize(("headers", "hint"), [({}, 60), ({"Retry-After": "7"}, 7)])
def test_a_429_has_the_vendor_s_hint_or_else_a_minute(network, headers, hint):
    network.get(PROGRAMS, status=429, json={"message": "Too Many Requests"}, headers=headers)
    assert swept().failure.retry_after == hint


def test_systems_are_requested_in_the_order_of_their_ids(network):
    network.get(PROGRAMS, json=programs("a"))
    network.get(f"{SEARCH}/a", json=systems(1))
    swept()
    assert "sort_by=id" in network.calls[1].request.url


def test_the_two_apis_of_enphase_do_not_share_credentials():
    own = credential_of(EnphaseVpp, "enphasevpp", HEADERS["enphasevpp"])
    assert set(own.secrets) == {
        "sentinel-enphasevpp-token-0123456789",
        "sentinel-enphasevpp-key-0123456789",
    }


def test_a_site_is_complete_also_if_it_was_found_before_all_programs_were_searched(network):
    network.get(PROGRAMS, json=programs("a", "b"))
    for program, system in (("a", 7), ("b", 8)):
        network.get(f"{SEARCH}/{program}", json={"total": 1, "systems": [{"system_id": system}]})
    network.get(f"{BASE}/api/v1/systems/7/summary", status=500)
    sweep = Sweep(open_vendor("enphasevpp"))
    sweep.run(lambda plugin: [plugin.site(("7",))])
    assert (len(sweep.records), sweep.failure.code, sweep.incomplete) == (1, "backend_error", "")


def test_rows_of_15_minutes_are_requested_where_a_site_may_have_rows_of_5(network, monkeypatch):
    now = datetime(2026, 6, 17, 18, 0, tzinfo=UTC)
    monkeypatch.setattr(Client, "now", now)
    network.get(PROGRAMS, json=programs("a"))
    network.get(f"{SEARCH}/a", json={"total": 1, "systems": [{"system_id": 7, "timezone": "Europe/Berlin"}]})
    network.get(f"{BASE}/api/v1/systems/7/devices", json={"devices": {"encharges": [{"serial_number": "1"}]}})
    network.get(f"{BASE}/api/v1/systems/7/telemetry/battery", json={"intervals": []})
    series = open_vendor("enphasevpp").site_battery_intervals(("7",), Level.HOUR)
    list(read_intervals(series, RequestedWindow(Level.HOUR).widened(series.zone, now, series.since), 100, now))
    assert network.calls[-1].request.params["interval_duration"] == "15mins"
