"""SolarEdge v2: credentials, sites, devices, and series in every resolution."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox import create_app
from tests.sandbox.callers import Caller, Clocks

SITE = "/v2/sites/1000001"


def values(caller: Caller, path: str, **query: Any) -> dict[str, Any]:
    answer = caller.get("solaredge", path, **query)
    assert answer.status_code == 200, answer.text
    return {row["timestamp"]: row["value"] for row in answer.json["values"]}  # type: ignore[index]


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


def test_environmental_benefits_grow_with_what_was_produced(caller: Caller):
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


@pytest.mark.parametrize(
    ("span", "resolution", "status"),
    [
        (timedelta(hours=12), "QUARTER_HOUR", 200),
        (timedelta(hours=12, seconds=1), "QUARTER_HOUR", 400),
        (timedelta(hours=24), "HOUR", 200),
        (timedelta(hours=25), "HOUR", 400),
        (timedelta(days=31), "DAY", 200),
        (timedelta(days=32), "DAY", 400),
        (timedelta(days=5000), "YEAR", 200),
        (timedelta(hours=1), "MINUTE", 400),
    ],
)
def test_each_resolution_has_its_longest_span(caller: Caller, span: timedelta, resolution: str, status: int):
    start = datetime(2026, 1, 1)
    query = {"from": start.isoformat(), "to": (start + span).isoformat(), "resolution": resolution}
    assert caller.get("solaredge", f"{SITE}/energy", **query).status_code == status


def test_a_day_of_25_hours_is_too_long_for_hours(caller: Caller):
    query = {"from": "2025-10-26T00:00:00", "to": "2025-10-27T00:00:00", "resolution": "HOUR"}
    assert caller.get("solaredge", f"{SITE}/energy", **query).status_code == 400


@pytest.mark.parametrize("query", [{"from": "today"}, {"from": "2026-06-21T10:00:00", "to": "2026-06-21T09:00:00"}])
def test_bad_times_are_a_bad_request(caller: Caller, query: dict[str, str]):
    assert caller.get("solaredge", f"{SITE}/energy", **query).status_code == 400


@pytest.mark.parametrize(("number", "zone"), [(0, "Europe/Berlin"), (2, "Asia/Kolkata"), (4, "Australia/Lord_Howe")])
def test_quarters_hours_and_days_are_the_truth_of_the_local_day(caller: Caller, number: int, zone: str):
    path = f"/v2/sites/{1_000_001 + 13 * number}/energy"
    noon, next_day = "2026-06-19T12:00:00", "2026-06-20T00:00:00"
    halves = (
        values(caller, path, resolution="QUARTER_HOUR", unit="WH", **{"from": start, "to": end})
        for start, end in (("2026-06-19T00:00:00", noon), (noon, next_day))
    )
    day = {"from": "2026-06-19T00:00:00", "to": next_day}
    quarters = [value or 0 for half in halves for value in half.values()]
    hours = values(caller, path, resolution="HOUR", unit="WH", **day)
    days = values(caller, path, resolution="DAY", unit="WH", **day)
    start = datetime(2026, 6, 19, tzinfo=ZoneInfo(zone))
    truth = caller.energy_wh(
        site=number, vendor="solaredge", start=start.isoformat(), end=(start + timedelta(days=1)).isoformat()
    )
    assert (len(quarters), len(hours)) == (96, 24)
    assert sum(quarters) == sum(value or 0 for value in hours.values()) == truth > 0
    assert days == {start.isoformat(): truth}


def test_stamps_are_the_starts_of_buckets_with_the_sites_offset(caller: Caller):
    query = {"from": "2026-03-28T00:00:00", "to": "2026-03-30T00:00:00", "resolution": "DAY"}
    stamps = list(values(caller, f"{SITE}/energy", **query))
    assert stamps == ["2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00"]
    query = {"from": "2026-03-29T00:30:00", "to": "2026-03-29T04:00:00", "resolution": "HOUR"}
    stamps = list(values(caller, f"{SITE}/energy", **query))
    assert stamps == [f"2026-03-29T{hour}" for hour in ("00:00:00+01:00", "01:00:00+01:00", "03:00:00+02:00")]


def test_months_and_years_hold_what_there_is_so_far(caller: Caller):
    months = values(caller, f"{SITE}/energy", resolution="MONTH", unit="WH", **{"from": "2026-01-01T00:00:00"})
    years = values(caller, f"{SITE}/energy", resolution="YEAR", unit="WH", **{"from": "2021-01-01T00:00:00"})
    assert next(iter(years)) == "2021-01-01T00:00:00+01:00"
    assert years["2021-01-01T00:00:00+01:00"] is None
    assert sum(months.values()) == years["2026-01-01T00:00:00+01:00"] > 0


def test_deep_night_is_null_and_the_dark_next_to_the_day_is_zero(caller: Caller):
    found = values(caller, f"{SITE}/energy", **{"from": "2026-06-19T00:00:00", "to": "2026-06-19T12:00:00"})
    given = list(found.values())
    assert given[:8] == [None] * 8
    first = next(index for index, value in enumerate(given) if value is not None)
    assert given[first] == 0.0
    assert None not in given[first:]


def test_the_running_quarter_is_null_and_the_running_hour_is_not(caller: Caller):
    caller.set_clock("2026-06-21T14:40:00+02:00")
    day = {"from": "2026-06-21T12:00:00"}
    quarters = values(caller, f"{SITE}/power", **day)
    hours = values(caller, f"{SITE}/energy", resolution="HOUR", **day)
    assert list(quarters)[-1] == "2026-06-21T14:30:00+02:00"
    assert [value is None for value in quarters.values()][-3:] == [False, True, True]
    assert hours["2026-06-21T14:00:00+02:00"] > 0


def test_a_window_without_end_ends_now_in_nanoseconds(caller: Caller):
    period = caller.get("solaredge", f"{SITE}/energy", resolution="DAY").json["period"]
    assert period == {"from": "2026-06-21T00:00:00+02:00", "to": "2026-06-21T14:00:00.160789237+02:00"}


def test_the_unit_follows_the_size_unless_one_is_asked_for(caller: Caller):
    day = {"from": "2026-06-01T00:00:00", "to": "2026-06-02T00:00:00", "resolution": "DAY"}
    year = {"from": "2025-01-01T00:00:00", "to": "2026-01-01T00:00:00", "resolution": "YEAR"}

    def answer(**query: str) -> tuple[str, float]:
        series = caller.get("solaredge", f"{SITE}/energy", **query).json
        return series["unit"], series["values"][0]["value"]

    assert answer(**day)[0] == "WH"
    assert answer(**year)[0] == "KWH"
    assert answer(**year, unit="WH") == ("WH", 1000 * answer(**year)[1])
    assert answer(**year, unit="MWH")[0] == "MWH"
    assert caller.get("solaredge", f"{SITE}/energy", **day, unit="BTU").status_code == 400


def test_inverters_add_up_to_their_site_in_every_quarter(caller: Caller):
    window = {"from": "2026-06-19T07:00:00", "to": "2026-06-19T19:00:00"}
    site = values(caller, f"{SITE}/energy", **window)
    inverters = caller.get("solaredge", f"{SITE}/inverters/telemetry", **window).json["inverters"]
    columns = [[row["value"] for row in one["energy"]["values"]] for one in inverters.values()]
    assert len(columns) == 2
    assert [sum(column) for column in zip(*columns, strict=True)] == list(site.values())
    serial, series = next(iter(inverters.items()))
    alone = values(caller, f"{SITE}/inverters/{serial}/power", **window)
    assert list(alone.values()) == [row["value"] for row in series["power"]["values"]]


def test_a_battery_gives_two_flows_and_its_charge(caller: Caller):
    window = {"from": "2026-06-19T08:00:00", "to": "2026-06-19T20:00:00"}
    storage = caller.get("solaredge", f"{SITE}/storage/telemetry", **window).json["storage"]
    (serial,) = storage
    battery = storage[serial]
    span = {"start": "2026-06-19T08:00:00+02:00", "end": "2026-06-19T20:00:00+02:00"}
    for metric, kind in (("chargeEnergy", "charge"), ("dischargeEnergy", "discharge")):
        total = sum(row["value"] for row in battery[metric]["values"])
        assert total == caller.energy_wh(site=0, vendor="solaredge", device=serial, kind=kind, **span) > 0
    assert battery["stateOfEnergy"]["unit"] == "PERCENTAGE"
    alone = values(caller, f"{SITE}/storage/{serial}/state-of-energy", **window)
    assert list(alone.values()) == [row["value"] for row in battery["stateOfEnergy"]["values"]]


def test_the_overview_is_the_production_since_midnight(caller: Caller):
    production = caller.get("solaredge", f"{SITE}/overview").json["production"]
    span = {"start": "2026-06-21T00:00:00+02:00", "end": "2026-06-21T13:45:00+02:00"}
    assert production["unit"] == "WH"
    assert production["total"] == caller.energy_wh(site=0, vendor="solaredge", **span)


def test_the_meter_counts_the_production_of_the_site(caller: Caller):
    window = {"from": "2026-06-19T08:00:00", "to": "2026-06-19T10:00:00"}
    (meter,) = caller.get("solaredge", f"{SITE}/meters/telemetry", **window).json["meters"].values()
    counted = [row["value"] for row in meter["productionEnergy"]["values"]]
    assert counted == list(values(caller, f"{SITE}/energy", **window).values())
