"""The rules of energy and power for orders, with the numbers on either side of each border."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.control.verification import Flow, Reading, Rule
from tests.app.control.judging import NOT_APPLIED, UNPROVEN, VERIFIED, at, judged, order, outcome, quarters
from vendors.kit.control import Command


@pytest.mark.parametrize(
    ("kw", "expected"),
    [(3.0, VERIFIED), (2.86, VERIFIED), (3.14, VERIFIED), (2.84, NOT_APPLIED), (3.16, NOT_APPLIED), (0, NOT_APPLIED)],
)
@pytest.mark.parametrize(("command", "sign"), [(Command.DISCHARGE, 1), (Command.CHARGE, -1)])
def test_the_energy_must_be_within_5_percent_of_power_x_time(command, sign, kw, expected):
    assert outcome(order(command, kw=3.0), series=quarters(*[sign * kw] * 4)) == (expected, Rule.ENERGY)


def test_energy_in_the_opposite_direction_is_a_failure():
    assert outcome(order(kw=3.0), series=quarters(-3, -3, -3, -3)) == (NOT_APPLIED, Rule.ENERGY)


def test_energy_that_flows_back_counts_against_what_was_ordered():
    back_and_forth = [Flow(at(0), at(60), charge_kwh=1.0, discharge_kwh=3.0)]
    assert outcome(order(kw=3.0), series=back_and_forth) == (NOT_APPLIED, Rule.ENERGY)


def test_the_power_counts_up_to_the_rating_of_the_battery_which_the_receipt_shows():
    result = judged(order(kw=8.0), series=quarters(5, 5, 5, 5))
    assert (result.state, result.rule) == (VERIFIED, Rule.ENERGY)
    assert result.numbers["ordered_kw"] == 8.0
    assert result.numbers["rating_kw"] == result.numbers["expected_kw"] == result.numbers["expected_kwh"] == 5.0


def test_an_unknown_rating_does_not_cap_the_power():
    assert outcome(order(kw=8.0), series=quarters(5, 5, 5, 5), rating_kw=None) == (NOT_APPLIED, Rule.ENERGY)
    assert outcome(order(kw=8.0), series=quarters(8, 8, 8, 8), rating_kw=None) == (VERIFIED, Rule.ENERGY)


def test_a_power_that_the_vendor_has_clamped_below_the_rating_is_a_failure_with_the_energy_that_flowed():
    result = judged(order(kw=5.0), series=quarters(2.5, 2.5, 2.5, 2.5))
    assert (result.state, result.rule) == (NOT_APPLIED, Rule.ENERGY)
    assert (result.numbers["least_kwh"], result.numbers["most_kwh"]) == (2.5, 2.5)


def test_power_at_the_start_does_not_hide_a_battery_that_stopped_halfway():
    assert outcome(order(kw=3.0), [Reading(at(3), 3.0)], quarters(3, 3, 0, 0)) == (NOT_APPLIED, Rule.ENERGY)


@pytest.mark.parametrize("kw", [2.86, 3.14])
def test_while_it_runs_measured_power_of_the_right_sign_and_size_verifies_it_for_now(kw):
    result = judged(order(kw=3.0), [Reading(at(3), kw)], now=4)
    assert (result.state, result.rule, result.is_final) == (VERIFIED, Rule.POWER, False)
    assert result.numbers["measured_kw"] == kw
    assert result.numbers["measured_at"] == "2026-06-01T12:03:00+00:00"


@pytest.mark.parametrize("kw", [2.84, 3.16, 0.0, -3.0])
def test_while_it_runs_no_other_power_decides_anything(kw):
    assert judged(order(kw=3.0), [Reading(at(3), kw)], now=4) is None


def test_while_it_runs_the_last_measurement_counts():
    readings = [Reading(at(20), 0.0), Reading(at(3), 3.0)]
    assert judged(order(kw=3.0), readings, now=21) is None


def test_a_measurement_from_before_the_start_or_after_the_end_is_none():
    assert judged(order(kw=3.0), [Reading(at(-1), 3.0)], now=1) is None
    assert outcome(order(kw=3.0), [Reading(at(-1), 3.0), Reading(at(61), 3.0)], series=None) == (UNPROVEN, Rule.UNSEEN)


def test_before_its_start_and_while_it_is_not_measured_there_is_no_verdict():
    assert judged(order(kw=3.0), now=-5) is None
    assert judged(order(kw=3.0), now=30) is None


def test_a_flow_that_has_not_ended_is_not_counted():
    interval, so_far = order(kw=3.0, end=52), quarters(3, 3, 3, 0)
    assert judged(interval, series=so_far, now=53) is None
    assert outcome(interval, series=so_far, now=60) == (NOT_APPLIED, Rule.ENERGY)


def test_after_the_end_it_waits_for_the_series():
    assert judged(order(kw=3.0), series=[], now=61) is None
    assert judged(order(kw=3.0), [Reading(at(3), 3.0)], quarters(3, 3, 3), now=61) is None


def test_a_series_that_stays_incomplete_for_a_day_leaves_the_verdict_to_the_measurements():
    a_day_later = 60 + 24 * 60
    assert outcome(order(kw=3.0), series=quarters(3, 3, 3), now=a_day_later) == (UNPROVEN, Rule.UNSEEN)
    assert outcome(order(kw=3.0), [Reading(at(3), 3.0)], quarters(3, 3), now=a_day_later) == (VERIFIED, Rule.POWER)


def test_an_incomplete_series_is_enough_where_the_rest_cannot_make_up_for_it():
    assert outcome(order(kw=5.0), series=quarters(0, 0, 0), now=61) == (NOT_APPLIED, Rule.ENERGY)


@pytest.mark.parametrize(
    ("minutes", "expected"), [(1, VERIFIED), (5, VERIFIED), (6, UNPROVEN), (59, UNPROVEN)], ids=str
)
def test_without_a_series_the_power_must_have_been_measured_within_the_latency(minutes, expected):
    assert outcome(order(kw=3.0), [Reading(at(minutes), 3.0)], series=None)[0] == expected


def test_without_a_series_a_wrong_power_after_the_latency_is_a_failure_with_what_was_seen():
    result = judged(order(kw=3.0), [Reading(at(2), 3.0), Reading(at(30), -1.5)], series=None)
    assert (result.state, result.rule) == (NOT_APPLIED, Rule.POWER)
    assert result.numbers["measured_kw"] == -1.5


def test_without_a_series_a_wrong_power_within_the_latency_is_no_failure():
    assert outcome(order(kw=3.0), [Reading(at(1), 0.0), Reading(at(4), 3.0)], series=None) == (VERIFIED, Rule.POWER)


def test_an_order_at_which_no_client_looked_stays_unproven():
    assert outcome(order(kw=3.0), series=None) == (UNPROVEN, Rule.UNSEEN)


class TestAnOrderWhoseEndsTheSeriesDoesNotShare:
    """From 12:07 to 12:52, in quarters of an hour."""

    ORDER = order(kw=3.0, start=7, end=52)
    TRUE = quarters(3 * 8 / 15, 3, 3, 3 * 7 / 15)

    def test_the_power_of_the_quarters_inside_proves_it_with_energy_that_agrees(self):
        result = judged(self.ORDER, series=self.TRUE)
        assert (result.state, result.rule, result.is_final) == (VERIFIED, Rule.POWER, True)
        assert result.numbers["whole_minutes"] == 30.0
        assert outcome(self.ORDER, series=quarters(1.6, 3, 2.8, 1.4)) == (UNPROVEN, Rule.UNSEEN)

    def test_energy_that_may_have_flowed_outside_proves_nothing(self):
        short = order(kw=3.0, start=7, end=23)
        assert outcome(short, series=quarters(3 * 8 / 15, 3 * 8 / 15)) == (UNPROVEN, Rule.UNSEEN)
        assert outcome(short, [Reading(at(15), 1.6)], quarters(3 * 8 / 15, 3 * 8 / 15)) == (UNPROVEN, Rule.UNSEEN)

    def test_a_battery_that_stops_before_the_end_is_not_proven_by_what_flowed_more_before(self):
        until_45 = quarters(3, 3, 3, 0)
        assert outcome(order(kw=3.0, start=7, end=57), series=until_45) == (NOT_APPLIED, Rule.ENERGY)
        assert outcome(order(kw=3.0, start=7, end=52), series=until_45)[0] != VERIFIED

    def test_a_quarter_that_is_missing_inside_proves_nothing(self):
        gap = [flow for flow in self.TRUE if flow.start != at(30)]
        assert outcome(self.ORDER, series=gap, now=60 + 24 * 60) == (UNPROVEN, Rule.UNSEEN)

    def test_rest_in_the_quarters_inside_proves_that_it_idled(self):
        idle = order(Command.IDLE, 7, 52)
        assert outcome(idle, series=quarters(2, 1, 0, 0, 2, start=-15)) == (VERIFIED, Rule.IDLE)
        assert outcome(idle, series=quarters(1, 0, 0, 2)) == (UNPROVEN, Rule.UNSEEN)
        assert outcome(idle, series=quarters(1, 0, 0.3, 2)) == (NOT_APPLIED, Rule.IDLE)

    def test_a_battery_that_came_to_rest_by_itself_some_minutes_later_has_not_idled_as_it_was_told(self):
        ignored = quarters(1, 1.2, 0, 0, 0, start=-15)
        assert outcome(order(Command.IDLE), series=ignored)[0] != VERIFIED

    def test_power_that_was_measured_in_time_proves_it_with_energy_that_agrees(self):
        short, flows = order(kw=3.0, start=7, end=23), quarters(3 * 8 / 15, 3 * 8 / 15)
        result = judged(short, [Reading(at(9), 3.0)], flows)
        assert (result.state, result.rule, result.is_final) == (VERIFIED, Rule.POWER, True)
        assert result.numbers["least_kwh"] < 0.8 <= result.numbers["most_kwh"]

    def test_energy_that_cannot_have_been_enough_is_a_failure_in_spite_of_power_measured_in_time(self):
        stopped = quarters(3 * 8 / 15, 3, 0, 0)
        assert outcome(self.ORDER, [Reading(at(9), 3.0)], stopped) == (NOT_APPLIED, Rule.ENERGY)

    def test_energy_that_must_have_been_too_much_is_a_failure(self):
        assert outcome(self.ORDER, [Reading(at(9), 3.0)], quarters(5, 5, 5, 5)) == (NOT_APPLIED, Rule.ENERGY)

    def test_no_more_flowed_inside_than_the_rated_power_permits(self):
        assert outcome(order(kw=3.0, start=14, end=30), series=quarters(5, 0)) == (NOT_APPLIED, Rule.ENERGY)

    def test_what_the_rated_power_cannot_have_moved_outside_flowed_inside(self):
        at_rated_power = order(kw=5.0, start=1, end=59)
        full = [5 * 14 / 15, 5, 5, 5 * 14 / 15]
        assert outcome(at_rated_power, series=quarters(*full)) == (VERIFIED, Rule.ENERGY)


def test_a_start_within_the_latency_is_no_failure_if_it_was_measured():
    # It starts after 4 of 60 minutes: 93 % of the energy.
    late = quarters(3 * 11 / 15, 3, 3, 3)
    assert outcome(order(kw=3.0), series=late) == (VERIFIED, Rule.POWER)
    later = quarters(3 * 5 / 15, 3, 3, 3)
    assert outcome(order(kw=3.0), series=later) == (NOT_APPLIED, Rule.ENERGY)
    short, half = order(kw=3.0, end=15), quarters(3 * 11 / 15)
    assert outcome(short, [Reading(at(4), 3.0)], half) == (VERIFIED, Rule.POWER)
    assert outcome(short, series=half) == (NOT_APPLIED, Rule.ENERGY)


# Minutes of powers of a battery rated 5 kW, some time before and after an order; a meter that counts them in intervals
# of another phase; and looks at some of the minutes.
POWERS = st.lists(
    st.tuples(st.sampled_from([0.0, 3.0, 5.0, -3.0, 2.9, 4.0]), st.integers(1, 40)), min_size=1, max_size=8
).map(lambda runs: ([kw for kw, minutes in runs for _ in range(minutes)] * 180)[:180])


@settings(max_examples=400, deadline=None)
@given(
    powers=POWERS,
    start=st.integers(0, 60),
    length=st.integers(5, 110),
    step=st.sampled_from([5, 15, 30]),
    kw=st.sampled_from([3.0, 5.0]),
    looks=st.lists(st.integers(0, 179), max_size=3),
    missing=st.sets(st.integers(0, 5), max_size=1),
    command=st.sampled_from([Command.CHARGE, Command.DISCHARGE, Command.IDLE]),
)
def test_no_series_verifies_what_has_not_flowed_nor_denies_what_has(
    powers, start, length, step, kw, looks, missing, command
):
    sign = -1 if command is Command.CHARGE else 1
    series = [
        Flow(at(n), at(n + step), sum(max(-p, 0) for p in part) / 60, sum(max(p, 0) for p in part) / 60)
        for n in range(0, 180, step)
        for part in [powers[n : n + step]]
        if n // step not in missing
    ]
    interval = order(command, start, start + length, kw=None if command is Command.IDLE else kw)
    readings = [Reading(at(minute), powers[minute]) for minute in looks]
    result = judged(interval, readings, series, now=180 + 24 * 60)
    true_kwh = sign * sum(powers[start : start + length]) / 60
    if result.rule is Rule.ENERGY:
        is_within = 0.95 * kw * length / 60 - 1e-9 <= true_kwh <= 1.05 * kw * length / 60 + 1e-9
        assert is_within == (result.state == VERIFIED)
    if result.rule is Rule.IDLE and result.state == VERIFIED and not readings:
        settled = start + min(5, length // 2 + 1)
        assert not any(powers[settled : start + length])
