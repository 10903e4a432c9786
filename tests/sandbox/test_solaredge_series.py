"""SolarEdge's series: resolutions, stamps, units, nulls, and their agreement with the truth."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.solaredge import SITE, values


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


def test_running_months_and_years_hold_the_energy_so_far(caller: Caller):
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
