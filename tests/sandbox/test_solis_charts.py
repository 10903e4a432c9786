"""SolisCloud's charts: off the grid, on the inverter's own clock, in units that need a factor."""

from itertools import pairwise
from typing import Any

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.solis import data, hybrid


def test_rows_lie_off_the_five_minute_grid_and_keep_the_lag(caller: Caller):
    one = hybrid(caller, 0)
    rows = data(caller.solis("inverterDay", id=one["ids"]["id"], time="2026-06-21", timeZone=2))
    stamps = [int(row["dataTimestamp"]) // 1000 for row in rows]
    assert {91 <= stamp % 300 <= 110 for stamp in stamps} == {True}
    assert caller.clocks.now - 660 < stamps[-1] <= caller.clocks.now - 360


def test_the_day_counter_of_an_inverter_is_the_truth_since_its_own_midnight(caller: Caller):
    one = caller.truth()["views"]["solis"][2]["devices"][0]
    rows = data(caller.solis("inverterDay", sn=one["serial"], time="2026-06-20", timeZone=5.5))
    span = {"start": "2026-06-20T00:00:00+05:30", "end": "2026-06-21T00:00:00+05:30"}
    truth = caller.energy_wh(site=2, vendor="solis", device=one["ids"]["id"], **span)
    assert 1000 * rows[-1]["eToday"] == pytest.approx(truth, abs=100)
    assert [row["eToday"] for row in rows] == sorted(row["eToday"] for row in rows)


def test_the_day_counter_resets_at_midnight_without_daylight_saving(caller: Caller):
    one = hybrid(caller, 0)
    rows = data(caller.solis("inverterDay", id=one["ids"]["id"], time="2026-06-20", timeZone=2))
    counters = [(row["timeStr"], row["batteryTodayDischargeEnergy"]) for row in rows]
    falls = [now[0] for before, now in pairwise(counters) if now[1] < before[1]]
    assert len(falls) == 1
    assert "00:50" < falls[0][11:16] < "01:10"


@pytest.mark.parametrize(("kind", "member"), [("charge", "batteryChargeEnergy"), ("pv", "energy")])
def test_the_days_of_a_month_add_up_to_the_truth(caller: Caller, kind: str, member: str):
    one = hybrid(caller, 0)
    rows = data(caller.solis("inverterMonth", id=one["ids"]["id"], month="2026-05"))
    span = {"start": "2026-05-01T00:00:00+01:00", "end": "2026-06-01T00:00:00+01:00"}
    truth = caller.energy_wh(site=0, vendor="solis", device=one["ids"]["id"], kind=kind, **span)
    assert [row["dateStr"] for row in rows] == [f"2026-05-{day:02d}" for day in range(1, 32)]
    assert 1000 * sum(row[member] for row in rows) == pytest.approx(truth, abs=200)


def test_in_charts_value_times_pec_is_the_amount_in_the_unit(caller: Caller):
    station = caller.truth()["views"]["solis"][0]["site"]
    inverter = caller.truth()["views"]["solis"][0]["devices"][0]
    year = data(caller.solis("inverterYear", id=inverter["ids"]["id"], year="2026"))
    assert [row["dateStr"] for row in year] == [f"2026-{month:02d}" for month in range(1, 7)]
    assert {(row["energyStr"], row["energyPec"]) for row in year} == {("MWh", "0.001")}
    for row in year:
        assert row["fullHour"] * inverter["rated_kw"] == pytest.approx(row["energy"], abs=0.1)
    row = data(caller.solis("stationDay", id=station, time="2026-06-21", timeZone=2))[-1]
    assert (row["powerStr"], row["powerPec"]) == ("kW", "0.001")
    assert row["power"] > 100


def test_a_stations_charts_are_the_sums_of_its_inverters(caller: Caller):
    view = caller.truth()["views"]["solis"][2]
    inverters = [one["ids"]["id"] for one in view["devices"] if one["kind"] == "solar_inverter"]
    (whole,) = [row for row in data(caller.solis("stationAll", id=view["site"])) if row["year"] == 2025]
    parts = [
        row["energy"] for one in inverters for row in data(caller.solis("inverterAll", id=one)) if row["year"] == 2025
    ]
    assert whole["energy"] == pytest.approx(sum(parts), abs=0.05)
    (listed,) = data(caller.solis("stationYearEnergyList", stationIds=view["site"], time="2025"))["records"]
    assert (listed["id"], listed["energy"]) == (view["site"], whole["energy"])
    month = data(caller.solis("stationMonth", id=view["site"], month="2025-03"))
    (listed,) = data(caller.solis("stationMonthEnergyList", stationIds=view["site"], time="2025-03"))["records"]
    assert listed["energy"] == pytest.approx(sum(row["energy"] for row in month), abs=0.05)
    (listed,) = data(caller.solis("stationDayEnergyList", stationIds=view["site"], time="2025-03-09"))["records"]
    assert listed["energy"] == month[8]["energy"]


def test_a_day_to_come_is_empty(caller: Caller):
    one = hybrid(caller, 0)["ids"]["id"]
    assert data(caller.solis("inverterDay", id=one, time="2026-06-23", timeZone=2)) == []
    assert data(caller.solis("inverterMonth", id=one, month="2026-07")) == []


@pytest.mark.parametrize("body", [{"time": "2026-06-21"}, {"timeZone": 2}, {"time": "21.6.", "timeZone": 2}])
def test_a_chart_without_its_day_or_zone_is_refused(caller: Caller, body: dict[str, Any]):
    one = hybrid(caller, 0)["ids"]["id"]
    assert caller.solis("inverterDay", id=one, **body).json["code"] == "I0000"
