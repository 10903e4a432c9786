"""The rules for limits of charge, for open orders and for rest, with the numbers on either side of each border."""

import pytest

from app.control.verification import Reading, Rule
from tests.app.control.judging import NOT_APPLIED, UNPROVEN, VERIFIED, at, judged, order, outcome, quarters
from vendors.kit.control import Command, Priority


@pytest.mark.parametrize(
    ("soc_percent", "expected"),
    [(80, VERIFIED), (78, VERIFIED), (82, VERIFIED), (77.9, NOT_APPLIED), (83, NOT_APPLIED)],
)
def test_a_charge_limit_that_was_reached_ends_an_order_early(soc_percent, expected):
    readings = [Reading(at(4), -3.0, 60), Reading(at(50), 0.0, soc_percent)]
    charging = order(Command.CHARGE, kw=3.0, limit_percent=80)
    assert outcome(charging, readings, quarters(-3, -3, 0, 0))[0] == expected


def test_the_charge_may_come_from_the_series():
    charging = order(Command.CHARGE, kw=3.0, limit_percent=80)
    assert outcome(charging, series=quarters(-3, -3, 0, 0, soc=[70, 80, 80, 80])) == (VERIFIED, Rule.LIMIT)
    assert outcome(charging, series=quarters(-3, 0, 0, 0, soc=[70, 70, 70, 70])) == (NOT_APPLIED, Rule.ENERGY)


def test_the_sign_must_be_right_until_the_limit():
    charging = order(Command.CHARGE, kw=3.0, limit_percent=80)
    series = quarters(-3, 2, -3, 0, soc=[80, 75, 80, 80])
    assert outcome(charging, series=series) == (NOT_APPLIED, Rule.LIMIT)


def test_a_battery_that_went_on_beyond_its_limit_has_not_obeyed_even_if_the_energy_agrees():
    charging = order(Command.CHARGE, kw=3.0, limit_percent=80)
    series = quarters(-3, -3, -3, -3, soc=[70, 80, 90, 99])
    assert outcome(charging, series=series) == (NOT_APPLIED, Rule.LIMIT)
    assert outcome(charging, [Reading(at(4), -3.0, 70), Reading(at(55), -3.0, 95)], None)[0] == NOT_APPLIED


def test_a_limit_that_may_have_been_reached_unseen_proves_nothing():
    charging = order(Command.CHARGE, kw=3.0, limit_percent=80)
    assert outcome(charging, series=quarters(-3, -3, 0, 0)) == (UNPROVEN, Rule.LIMIT)


def test_a_discharge_stops_at_its_limit():
    series = quarters(3, 3, 0, 0, soc=[30, 20, 20, 20])
    assert outcome(order(kw=3.0, limit_percent=20), series=series) == (VERIFIED, Rule.LIMIT)
    # A floor that the client has not asked for is not its limit.
    assert outcome(order(kw=3.0), series=series) == (NOT_APPLIED, Rule.ENERGY)


def test_a_battery_that_is_full_has_not_charged_as_it_was_told_without_a_limit():
    series = quarters(-3, -1, 0, 0, soc=[95, 100, 100, 100])
    result = judged(order(Command.CHARGE, kw=3.0), series=series)
    assert (result.state, result.rule, result.numbers["soc_percent"]) == (NOT_APPLIED, Rule.ENERGY, 100)
    assert outcome(order(Command.CHARGE, kw=3.0, limit_percent=100), series=series) == (VERIFIED, Rule.LIMIT)


@pytest.mark.parametrize(
    "members",
    [{}, {"kw": 0.0}, {"kw": 3.0, "priority": Priority.PV}, {"kw": 3.0, "priority": Priority.LOAD}],
    ids=str,
)
@pytest.mark.parametrize(
    ("kw", "expected"), [(4, VERIFIED), (0, VERIFIED), (-0.1, VERIFIED), (-0.2, NOT_APPLIED), (-4, NOT_APPLIED)]
)
def test_an_open_order_asks_for_the_right_sign_or_rest_and_never_the_opposite(members, kw, expected):
    assert outcome(order(**members), series=quarters(3, kw, 0, 1)) == (expected, Rule.DIRECTION)
    assert outcome(order(Command.CHARGE, **members), series=quarters(-3, -kw, 0, -1)) == (expected, Rule.DIRECTION)


@pytest.mark.parametrize("priority", [Priority.BATTERY, Priority.GRID])
def test_the_other_priorities_ask_for_the_whole_power(priority):
    assert outcome(order(kw=3.0, priority=priority), series=quarters(0, 0, 0, 0)) == (NOT_APPLIED, Rule.ENERGY)


@pytest.mark.parametrize(
    ("kw", "expected"), [(0.14, VERIFIED), (-0.14, VERIFIED), (0.16, NOT_APPLIED), (-0.16, NOT_APPLIED)]
)
def test_idle_is_less_than_3_percent_of_the_rated_power_in_each_interval_of_the_series(kw, expected):
    assert outcome(order(Command.IDLE), series=quarters(0, 0, kw, 0)) == (expected, Rule.IDLE)


def test_idle_with_an_unknown_rating_is_less_than_3_percent_of_any_battery():
    assert outcome(order(Command.IDLE), series=quarters(0, 0.04, 0, 0), rating_kw=None) == (VERIFIED, Rule.IDLE)
    assert outcome(order(Command.IDLE), series=quarters(0, 0.06, 0, 0), rating_kw=None) == (NOT_APPLIED, Rule.IDLE)


@pytest.mark.parametrize(
    "interval", [order(Command.IDLE), order(Command.CHARGE)], ids=lambda interval: interval.command
)
def test_rest_is_asked_for_after_the_latency_only(interval):
    stopping = quarters(5, 5 * 5 / 15, 0, 0, 0, start=-15)
    assert judged(interval, [Reading(at(1), 5.0)], stopping).state == VERIFIED
    assert judged(interval, series=quarters(5, 0, 0, 0)).state == NOT_APPLIED
    assert judged(interval, [Reading(at(1), 5.0), Reading(at(5), 0.0)], None).state == VERIFIED
    assert judged(interval, [Reading(at(6), 5.0)], None).state == NOT_APPLIED


def test_while_it_runs_rest_counts_after_the_latency_only():
    assert judged(order(Command.IDLE), [Reading(at(1), 0.0)], now=2) is None
    result = judged(order(Command.IDLE), [Reading(at(6), 0.0)], now=7)
    assert (result.state, result.rule, result.is_final) == (VERIFIED, Rule.IDLE, False)


def test_each_verdict_shows_numbers_that_json_can_hold():
    result = judged(order(kw=3.0), series=quarters(3), rating_kw=None, now=60 + 24 * 60)
    assert result.state == UNPROVEN
    assert result.numbers["most_kwh"] is None
    assert result.numbers["unseen_minutes"] == 45.0
