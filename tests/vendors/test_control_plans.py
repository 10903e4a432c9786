"""What an interval of a plan becomes at every vendor whose plugin declares battery control."""

from dataclasses import fields
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vendors.control_tables import PLUGINS, each_table, now_of, outcome, params_of, read
from vendors.kit import CannotExpress, Command, Interval, PlannedEvent, Priority

MINUTES = st.integers(-2000, 11_000)
NOTHING = st.none()
SPANS = {"start": MINUTES, "end": st.integers(1, 3000)}
MOVES = st.sampled_from([Command.CHARGE, Command.DISCHARGE])
KW = NOTHING | st.just(0.0) | st.floats(0, 100)
# What most vendors can be asked for, and anything.
INTERVALS = (
    st.builds(Interval, command=st.just(Command.IDLE), **SPANS)
    | st.builds(Interval, command=MOVES, kw=KW, limit_percent=NOTHING | st.integers(10, 100), **SPANS)
    | st.builds(
        Interval,
        command=st.sampled_from(Command),
        kw=KW,
        limit_percent=NOTHING | st.integers(0, 100) | st.floats(0, 100),
        priority=NOTHING | st.sampled_from(Priority),
        allow_export=NOTHING | st.booleans(),
        **SPANS,
    )
)


def planned_by(table, interval):
    return PLUGINS[table["name"]].planned_events(interval, now_of(table))


@pytest.mark.parametrize(("table", "case"), params_of("plans"))
def test_an_interval_becomes_the_documented_events_or_names_the_member_that_cannot_be_expressed(table, case):
    interval = read(Interval, case["interval"])
    if "cannot" in case:
        with pytest.raises(CannotExpress) as refused:
            planned_by(table, interval)
        assert refused.value.member == case["cannot"]
        assert refused.value.why.endswith(".")
    else:
        assert planned_by(table, interval) == [read(PlannedEvent, event) for event in case["events"]]


@each_table
@settings(max_examples=150)
@given(drawn=INTERVALS, seconds=st.integers(0, 59))
def test_the_events_of_any_interval_cover_what_is_left_of_it_without_a_gap(table, drawn, seconds):
    now = now_of(table).replace(second=seconds)
    start = now.replace(second=0) + timedelta(minutes=drawn.start)
    interval = Interval(**(vars(drawn) | {"start": start, "end": start + timedelta(minutes=drawn.end)}))
    if interval.end <= now:
        return
    events = outcome(lambda: PLUGINS[table["name"]].planned_events(interval, now))
    if isinstance(events, CannotExpress):
        assert events.member in {member.name for member in fields(Interval)}
        return
    assert max(start, now) <= events[0].start < max(start, now) + timedelta(minutes=1)
    assert events[-1].end == interval.end
    assert all(earlier.end == later.start for earlier, later in pairwise(events))
    assert len({(event.mode, event.kw, event.limit_percent) for event in events}) == 1
    (event, *_) = events
    assert event.limit_percent == interval.limit_percent
    assert event.kw is None or abs(abs(event.kw) - (interval.kw or 0)) <= 0.0005
    sign = {Command.CHARGE: -1, Command.DISCHARGE: 1, Command.IDLE: 0}[interval.command]
    assert not event.kw or event.kw * sign > 0


@each_table
def test_the_events_ahead_stay_where_they_are_while_a_long_interval_passes(table):
    start, length = now_of(table).replace(second=0), timedelta(hours=17)
    interval = Interval(Command.IDLE, start, start + length)
    plan = PLUGINS[table["name"]].planned_events
    planned = plan(interval, start)
    for minutes in (1, 60, 110):
        assert plan(interval, start + timedelta(minutes=minutes))[1:] == planned[1:]
