"""Enphase's Grid Services API: programs, errors, and state of sites and devices."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.vendors.support import BASE, HEADERS, credential_of, open_vendor
from vendors.enphase import EnphaseVpp
from vendors.enphase.state import charge_of, flow_of_all, newest_charge, with_charge, with_day, with_summary
from vendors.kit import Client, Level, Site, SolarInverter, Unauthorized
from vendors.kit.calls.sweep import Sweep
from vendors.kit.series.read import intervals as read_intervals
from vendors.kit.series.windows import RequestedWindow

HERE = Path(__file__).parent
PROGRAMS = f"{BASE}/api/v1/programs"
SEARCH = f"{BASE}/api/v1/systems/search"
NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
TODAY = int(NOW.timestamp()) - 3600
ERRORS = [
    (error["status"], error["body"])
    for error in json.loads((HERE / "errors.json").read_text())
    if isinstance(error["body"], dict)
]


def systems(*ids):
    return {"total": len(ids), "systems": [{"system_id": id} for id in ids]}


def programs(*ids):
    return {"total_count": len(ids), "programs": [{"program_id": id} for id in ids]}


def swept(read="sites"):
    sweep = Sweep(open_vendor("enphasevpp"))
    sweep.run(lambda vendor: getattr(vendor, read)())
    return sweep


def error_of(text, status=None):
    """Status and body of the documented error whose message begins with the text."""
    for documented, body in ERRORS:
        message = str(body.get("displayMessage") or body.get("message"))
        if message.startswith(text) and status in (None, documented):
            return documented, body
    raise AssertionError(f"no documented error begins with {text!r}")


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


@pytest.mark.parametrize("name", ["pwr", "powr"])
def test_the_power_of_a_microinverter_is_that_of_its_newest_row_under_either_name(name):
    inverter = SolarInverter(key=("7", "9"), vendor_id="9", site_key=("7",), vendor_site_id="7")
    midnight = int(NOW.timestamp()) - 43_200
    rows = [{"end_at": midnight + 600, name: 120, "enwh": 10}, {"end_at": midnight + 300, name: 60, "enwh": 5}]
    updated = with_day(inverter, NOW, {"start_at": midnight, "intervals": rows})
    assert (updated.power_kw, updated.measured_at) == (0.12, datetime.fromtimestamp(midnight + 600, UTC))
    assert (updated.recent_production.kwh, updated.recent_production.start.timestamp()) == (0.015, midnight)
    assert updated.lifetime_production is None
    assert with_day(inverter, NOW, {"start_at": midnight, "intervals": []}) == inverter


EVENING = 1_781_712_000
BEFORE, LATER = EVENING - 1500, EVENING + 30_000


@pytest.mark.parametrize(
    ("watts", "interval", "report", "measured"),
    [
        (900, BEFORE, EVENING, BEFORE),
        (900, None, EVENING, EVENING),
        (0, BEFORE, LATER, LATER),
        (0, BEFORE, None, BEFORE),
        (None, BEFORE, EVENING, EVENING),
    ],
    ids=["in the sun", "in the sun, no interval", "in the dark", "in the dark, no report", "without a power"],
)
def test_a_site_s_power_has_the_time_of_its_last_interval_and_not_that_of_the_report(watts, interval, report, measured):
    summary = {"current_power": watts, "last_interval_end_at": interval, "last_report_at": report}
    site = with_summary(Site(key=("7",), vendor_id="7", name="7"), NOW, summary)
    assert site.measured_at == datetime.fromtimestamp(measured, UTC)


@pytest.mark.parametrize(
    ("reports", "flow", "measured"),
    [
        ([BEFORE, BEFORE + 300], (0.3, 0.0), BEFORE),
        ([LATER, LATER + 300], (0.3, 0.0), EVENING),
        ([EVENING, EVENING - 4000], (None, None), EVENING),
        ([None, None], (0.3, 0.0), EVENING),
    ],
    ids=["a little earlier", "later", "one of them hours ago", "at no time"],
)
def test_the_power_of_batteries_is_left_out_if_it_is_much_older_than_the_site_s(reports, flow, measured):
    site = Site(key=("7",), vendor_id="7", name="7", measured_at=datetime.fromtimestamp(EVENING, UTC))
    charging = {"power": 150, "operational_mode": "Charging"}
    rows = [{"id": id, **charging, "last_report_at": at} for id, at in enumerate(reports, 1)]
    charged = with_charge(site, 50.0, flow_of_all(None, {"devices": {"encharges": rows}}))
    assert (charged.charge_kw, charged.discharge_kw) == flow
    assert (charged.measured_at, charged.bess.soc_percent) == (datetime.fromtimestamp(measured, UTC), 50.0)


@pytest.mark.parametrize(
    ("answer", "percent"),
    [
        ({"soc": 89.5, "intervals": [{"end_at": 9, "soc": {"percent": 1.0}}]}, 89.5),
        ({"last_reported_soc": "99%"}, 99.0),
        ({"start_at": TODAY - 9, "intervals": [{"end_at": TODAY, "soc": {"percent": 0.0}}]}, 0.0),
        ({"last_reported_soc": None, "intervals": []}, None),
        ({}, None),
    ],
)
def test_the_state_of_charge_is_next_to_the_rows_or_in_the_newest_row(answer, percent):
    assert newest_charge(NOW, answer) == percent


def test_the_charge_of_a_site_is_never_read_from_a_row():
    assert charge_of({"soc": None, "intervals": [{"end_at": 9, "soc": {"percent": 1.0}}]}) is None


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
