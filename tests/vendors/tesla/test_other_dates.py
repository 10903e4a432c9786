"""Rows of other dates and of the future, and answers about another site."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.vendors.support import intervals_between
from tests.vendors.tesla.played import NOON, UNIT, devices, recorded_case
from vendors.kit import Level, SolarInverter
from vendors.kit.calls.sweep import Sweep


def history(*stamps, **energies):
    rows = [{"timestamp": stamp, "solar_energy_exported": 1000} | energies for stamp in stamps]
    return {"response": {"period": "day", "time_series": rows}}


def read(plugin, level, start, end):
    return intervals_between(plugin.site_solar_intervals(("1",), level), level, start, end, NOON)


def test_a_row_of_another_date_is_not_produced_today(play_case):
    plugin = play_case("row_of_another_date")
    (inverter,) = devices(plugin, SolarInverter).values()
    today = plugin.solar_inverter(inverter.key).recent_production
    assert (today.kwh, today.start) == (3.0, datetime(2026, 3, 12, 5, tzinfo=UTC))


@pytest.mark.parametrize("stamp", ["2026-03-11T23:55:00-05:00", "2026-03-12T15:05:00-05:00", "0001-01-01T00:00:00Z"])
def test_only_rows_since_midnight_and_up_to_now_are_produced_today(play_case, stamp):
    plugin = play_case("row_of_another_date", calendar_history=history("2026-03-12T12:00:00-05:00", stamp))
    (inverter,) = devices(plugin, SolarInverter).values()
    assert plugin.solar_inverter(inverter.key).recent_production.kwh == 1.0


def test_a_series_holds_no_rows_of_other_dates_or_of_the_future(play_case):
    plugin = play_case("row_of_another_date")
    assert [hour.kwh for hour in read(plugin, Level.HOUR, NOON - timedelta(hours=20), NOON)] == [(3.0,)]
    later = history("2026-03-12T14:45:00-05:00", "2026-03-12T15:45:00-05:00")
    half_past = NOON + timedelta(minutes=30)
    plugin = play_case("row_of_another_date", calendar_history=later)
    assert [hour.kwh for hour in read(plugin, Level.HOUR, NOON - timedelta(hours=20), half_past)] == [(1.0,)]


def test_a_row_of_another_date_does_not_hide_that_date_s_own_rows(play_case):
    today, tomorrow = (history(f"2026-03-{day}T12:00:00-05:00", "2026-03-11T13:00:00-05:00") for day in (10, 11))
    plugin = play_case("row_of_another_date", calendar_history=[today, tomorrow])
    hours = read(plugin, Level.HOUR, datetime(2026, 3, 10, 6, tzinfo=UTC), datetime(2026, 3, 12, 5, tzinfo=UTC))
    assert [hour.start.hour for hour in hours] == [17, 17, 18]


@pytest.mark.parametrize("minutes", [30, 60])
def test_the_step_of_regular_rows_is_their_distance(play_case, minutes):
    stamps = [f"2026-03-12T{hour:02}:{minute:02}:00-05:00" for hour in range(8, 14) for minute in range(0, 60, minutes)]
    plugin = play_case("row_of_another_date", calendar_history=history(*stamps))
    hours = read(plugin, Level.HOUR, NOON - timedelta(hours=20), NOON)
    assert [hour.kwh for hour in hours] == [(60 / minutes,)] * 6
    assert {hour.quality.name for hour in hours} == {"MEASURED"}


@pytest.mark.parametrize("operation", ["site", "devices", "solar_inverter", "battery"])
def test_the_answer_of_another_site_is_a_bad_reply(play_case, operation):
    info = recorded_case("powerwall_3_in_gateways")["GET /api/1/energy_sites/1/site_info"]["response"]
    plugin = play_case("powerwall_3_in_gateways", site_info={"response": info | {"energy_site_id": 2}})
    key = ("1",) if operation == "site" else ("1", UNIT["din"])
    sweep = Sweep(plugin)
    sweep.run(lambda plugin: plugin.devices("1") if operation == "devices" else [getattr(plugin, operation)(key)])
    assert (sweep.failure.code, sweep.records) == ("bad_reply", [])
    assert "another site" in sweep.failure.detail


@pytest.mark.parametrize("answer", ["live_status", "calendar_history"])
def test_values_of_another_site_are_left_out_and_reported(play_case, answer):
    values = {"energy_site_id": 2, "solar_power": 9000, "time_series": [], "timestamp": "2026-03-12T19:58:00Z"}
    plugin = play_case("row_of_another_date", **{answer: {"response": values}})
    (inverter,) = devices(plugin, SolarInverter).values()
    record = plugin.solar_inverter(inverter.key)
    assert (record.power_kw is None) == (answer == "live_status")
    assert (record.recent_production is None) == (answer == "calendar_history")
    assert {failure.code for failure in plugin.client.progress.failures} == {"bad_reply"}


@pytest.mark.parametrize("number", ["STE20260101-00001", "2"])
@pytest.mark.parametrize("answer", ["site_info", "live_status", "calendar_history"])
def test_a_site_number_is_not_taken_for_the_id_of_another_site(play_case, answer, number):
    case = recorded_case("row_of_another_date")
    body = case[f"GET /api/1/energy_sites/1/{answer}"]["response"] | {"site_number": number}
    plugin = play_case("row_of_another_date", **{answer: {"response": body}})
    (inverter,) = devices(plugin, SolarInverter).values()
    assert plugin.solar_inverter(inverter.key).recent_production.kwh == 3.0
    assert plugin.client.progress.failures == []
