"""Tesla's live powers and histories: balance, signs, spans, and sums that are the truth."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.callers import Caller

FLOWS = {
    "pv": ("solar_energy_exported",),
    "charge": (
        "battery_energy_imported_from_grid",
        "battery_energy_imported_from_solar",
        "battery_energy_imported_from_generator",
    ),
    "discharge": ("battery_energy_exported",),
}


def path(caller: Caller, number: int, call: str) -> str:
    return f"/api/1/energy_sites/{caller.truth()['views']['tesla'][number]['site']}/{call}"


def history(caller: Caller, number: int, period: str, **query: str) -> Any:
    query = {"kind": "energy", "period": period, **query}
    answer = caller.get("tesla", path(caller, number, "calendar_history"), **query)
    assert answer.status_code == 200, answer.text
    assert answer.json["response"]["period"] == period
    return answer.json["response"]["time_series"]


def window(zone: str, first: str, last: str) -> dict[str, str]:
    """The query for whole local days, as Tesla wants it: up to a second before midnight."""
    start = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone))
    end = datetime.fromisoformat(last).replace(hour=23, minute=59, second=59, tzinfo=ZoneInfo(zone))
    return {"start_date": start.isoformat(), "end_date": end.isoformat(), "time_zone": zone}


def truth(caller: Caller, number: int, kind: str, query: dict[str, str]) -> float:
    end = (datetime.fromisoformat(query["end_date"]) + timedelta(seconds=1)).isoformat()
    return caller.energy_wh(site=number, vendor="tesla", kind=kind, start=query["start_date"], end=end)


def total(rows: list[dict[str, Any]], kind: str) -> float:
    return float(sum(row[key] for row in rows for key in FLOWS[kind]))


@pytest.mark.parametrize("now", ["2026-06-21T06:00:00Z", "2026-06-21T12:01:30Z", "2026-06-21T19:00:00Z"])
def test_live_powers_balance_and_discharging_is_positive(caller: Caller, now: str):
    caller.set_clock(now)
    for site in caller.truth()["sites"]:
        live = caller.get("tesla", path(caller, site["number"], "live_status")).json["response"]
        sources = live["solar_power"] + live["battery_power"] + live["grid_power"]
        assert sources == live["load_power"] > 0
        assert live["solar_power"] >= 0
        assert (live["wall_connectors"] is None) == (site["battery"] is None)
        assert 0 <= live["percentage_charged"] <= 100


def test_the_sign_of_the_battery_follows_its_energy(caller: Caller):
    seen = set()
    for hour in (8, 10, 21):
        caller.set_clock(f"2026-06-21T{hour:02d}:00:00+02:00")
        live = caller.get("tesla", path(caller, 0, "live_status")).json["response"]
        span = {"start": f"2026-06-21T{hour - 1:02d}:55:00+02:00", "end": f"2026-06-21T{hour:02d}:00:00+02:00"}
        charge, discharge = (caller.energy_wh(site=0, kind=kind, **span) for kind in ("charge", "discharge"))
        assert live["battery_power"] == pytest.approx(12 * (discharge - charge), abs=1)
        seen.add((live["battery_power"] > 0) - (live["battery_power"] < 0))
    assert {-1, 1} <= seen


def test_live_values_are_renewed_every_two_minutes(caller: Caller):
    caller.set_clock("2026-06-21T12:03:59+02:00")
    live = caller.get("tesla", path(caller, 0, "live_status")).json["response"]
    assert live["timestamp"] == "2026-06-21T12:02:00+02:00"


def test_a_site_without_battery_shows_an_empty_pack(caller: Caller):
    live = caller.get("tesla", path(caller, 1, "live_status")).json["response"]
    shown = [live[name] for name in ("percentage_charged", "battery_power", "energy_left", "total_pack_energy")]
    assert shown == [0, 0, 0, 1]
    assert (live["grid_status"], live["timestamp"]) == ("Unknown", "2026-06-21T12:00:00Z")


@pytest.mark.parametrize(
    ("number", "zone", "day", "rows"),
    [
        (0, "Europe/Berlin", "2026-06-19", 288),
        (0, "Europe/Berlin", "2026-03-29", 276),
        (0, "Europe/Berlin", "2025-10-26", 300),
        (2, "Asia/Kolkata", "2026-06-19", 288),
        (4, "Australia/Lord_Howe", "2026-04-05", 294),
        (4, "Australia/Lord_Howe", "2025-10-05", 282),
        (6, "America/Santiago", "2025-09-07", 276),
    ],
)
def test_rows_of_five_minutes_fill_the_local_day_and_add_up_to_the_truth(caller, number, zone, day, rows):
    query = window(zone, day, day)
    found = history(caller, number, "day", **query)
    stamps = [datetime.fromisoformat(row["timestamp"]) for row in found]
    assert len(found) == rows
    assert {(after.timestamp() - stamp.timestamp()) for stamp, after in pairwise(stamps)} == {300}
    assert stamps[0].date().isoformat() == stamps[-1].date().isoformat() == day
    for kind in FLOWS:
        assert total(found, kind) == truth(caller, number, kind, query)
    assert total(found, "pv") > 0


@pytest.mark.parametrize(
    ("period", "first", "last", "stamps"),
    [
        ("week", "2026-06-08", "2026-06-14", 7),
        ("month", "2026-03-01", "2026-03-31", 31),
        ("month", "2025-10-01", "2025-10-31", 31),
        ("year", "2025-01-01", "2025-12-31", 12),
        ("lifetime", "2022-01-01", "2025-12-31", 4),
    ],
)
def test_days_months_and_years_add_up_to_the_truth(caller: Caller, period: str, first: str, last: str, stamps: int):
    query = window("Europe/Berlin", first, last)
    found = history(caller, 0, period, **query)
    assert len(found) == stamps
    assert found[0]["timestamp"] == datetime.fromisoformat(first).replace(tzinfo=ZoneInfo("Europe/Berlin")).isoformat()
    for kind in FLOWS:
        assert total(found, kind) == truth(caller, 0, kind, query) > 0


def test_a_day_of_the_month_is_the_sum_of_its_rows_of_five_minutes(caller: Caller):
    query = window("Australia/Lord_Howe", "2026-04-01", "2026-04-30")
    days = history(caller, 4, "month", **query)
    fine = history(caller, 4, "day", **window("Australia/Lord_Howe", "2026-04-05", "2026-04-05"))
    for kind in FLOWS:
        assert total(days[4:5], kind) == total(fine, kind) > 0
    assert [row["timestamp"][-6:] for row in days[4:6]] == ["+11:00", "+10:30"]


def test_sums_of_a_row_are_those_of_its_parts_and_some_are_missing_at_night(caller: Caller):
    rows = history(caller, 0, "day", **window("Europe/Berlin", "2026-06-19", "2026-06-19"))
    noon, night = rows[144], rows[6]
    assert noon["total_solar_generation"] == noon["solar_energy_exported"] > 0
    for name, prefix in (("total_home_usage", "consumer_"), ("total_grid_energy_exported", "grid_energy_exported_")):
        assert noon[name] == sum(value for key, value in noon.items() if key.startswith(prefix))
    assert "total_solar_generation" not in night
    assert night["total_battery_discharge"] == night["battery_energy_exported"] > 0
    for row in rows:
        drawn = row["grid_energy_imported"] - sum(
            row[f"grid_energy_exported_from_{one}"] for one in ("solar", "battery")
        )
        battery = total([row], "discharge") - total([row], "charge")
        assert row["solar_energy_exported"] + battery + drawn == row["total_home_usage"]


def test_an_end_at_midnight_gives_an_empty_last_day(caller: Caller):
    query = {"start_date": "2026-06-18T00:00:00+02:00", "end_date": "2026-06-20T00:00:00+02:00"}
    assert history(caller, 0, "day", **query) is None
    days = history(caller, 0, "month", **query)
    assert [row["timestamp"][:10] for row in days] == ["2026-06-18", "2026-06-19", "2026-06-20"]
    assert [total([row], "pv") > 0 for row in days] == [True, True, False]


def test_a_call_shows_the_day_of_its_end_only(caller: Caller):
    query = window("Europe/Berlin", "2026-06-17", "2026-06-19")
    assert history(caller, 0, "day", **query) == history(caller, 0, "day", **{**query, "start_date": ""})
    assert len(history(caller, 0, "day", **query)) == 288


def test_the_running_day_ends_with_what_the_cloud_has(caller: Caller):
    caller.set_clock("2026-06-21T14:04:00+02:00")
    assert history(caller, 0, "day")[-1]["timestamp"] == "2026-06-21T13:50:00+02:00"
    since_midnight = {"start": "2026-06-21T00:00:00+02:00", "end": "2026-06-21T13:55:00+02:00"}
    today = caller.energy_wh(site=0, vendor="tesla", **since_midnight)
    assert total(history(caller, 0, "day"), "pv") == total(history(caller, 0, "month")[-1:], "pv") == today > 0
    lifetime = {"start": "2015-01-01T00:00:00Z", "end": since_midnight["end"]}
    assert total(history(caller, 0, "lifetime"), "pv") == caller.energy_wh(site=0, vendor="tesla", **lifetime)


@pytest.mark.parametrize("day", ["2022-07-07", "2026-06-22"])
def test_a_day_before_the_site_or_after_now_has_null_for_rows(caller: Caller, day: str):
    assert history(caller, 0, "day", **window("Europe/Berlin", day, day)) is None


def test_days_are_those_of_the_requested_zone(caller: Caller):
    days = history(caller, 0, "month", **window("Asia/Kolkata", "2026-06-10", "2026-06-11"))
    assert [row["timestamp"] for row in days] == ["2026-06-10T00:00:00+05:30", "2026-06-11T00:00:00+05:30"]


@pytest.mark.parametrize(
    "query",
    [
        {"kind": ""},
        {"kind": "power"},
        {"period": "hour"},
        {"time_zone": "Europe/Nowhere"},
        {"time_zone": "../Berlin"},
        {"start_date": "2026-06-19"},
        {"start_date": "2026-06-19T00:00:00 02:00"},
        {"end_date": "yesterday"},
        {"end_date": "0001-01-01T00:00:00Z"},
        {"start_date": "2026-06-20T00:00:00Z", "end_date": "2026-06-19T00:00:00Z"},
    ],
)
def test_a_bad_question_is_a_bad_request(caller: Caller, query: dict[str, str]):
    query = {"kind": "energy", "period": "day", **query}
    answer = caller.get("tesla", path(caller, 0, "calendar_history"), **query)
    assert (answer.status_code, answer.json["response"], answer.json["error"]) == (400, None, "invalid_request")


def test_there_are_no_outages_and_no_charges_of_vehicles(caller: Caller):
    outages = caller.get("tesla", path(caller, 0, "calendar_history"), kind="backup").json
    charges = caller.get("tesla", path(caller, 0, "telemetry_history"), kind="charge").json
    assert outages["response"]["events"] == charges["response"]["charge_history"] == []
    assert caller.get("tesla", path(caller, 0, "telemetry_history"), kind="energy").status_code == 400
