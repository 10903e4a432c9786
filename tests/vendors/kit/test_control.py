"""When an event at a vendor is what was planned."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vendors.kit import Event, EventState, PlannedEvent
from vendors.kit.control import START_TOLERANCE

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
END = START + timedelta(hours=1)
PLANNED = PlannedEvent(START, END, "Discharge", 5.0, 20.0)
EVENT = Event("e1", START, END, "Discharge", 5.0, 20.0, EventState.SCHEDULED, "Scheduled")


def test_an_event_with_all_that_was_planned_is_it_in_whatever_state():
    for state in EventState:
        assert replace(EVENT, state=state, text="any", reason="any").is_of(PLANNED)


@pytest.mark.parametrize(
    "other",
    [
        {"start": START - START_TOLERANCE - timedelta(minutes=1)},
        {"start": START + START_TOLERANCE + timedelta(minutes=1)},
        {"end": END - timedelta(minutes=1)},
        {"mode": "Charge"},
        {"kw": -5.0},
        {"kw": 4.9},
        {"kw": None},
        {"limit_percent": 21.0},
        {"limit_percent": None},
    ],
    ids=str,
)
def test_an_event_that_differs_in_one_thing_is_not_what_was_planned(other):
    assert not replace(EVENT, **other).is_of(PLANNED)


@pytest.mark.parametrize("moved", [-START_TOLERANCE, START_TOLERANCE], ids=str)
def test_an_event_that_was_to_start_at_once_may_start_with_a_step_of_the_vendor_s_clock(moved):
    assert replace(EVENT, start=START + moved).is_of(PLANNED)


@pytest.mark.parametrize("kw", [5.0, None, 0.0])
def test_a_power_and_a_limit_that_the_plan_leaves_open_may_have_any_value(kw):
    event = replace(EVENT, kw=kw, limit_percent=None if kw else 10.0)
    assert event.is_of(replace(PLANNED, kw=None, limit_percent=None))
