"""A plan: the intervals that a client has sent, checked, with the events that carry each out at its vendor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from app.web.problems import InvalidRequest, invalid
from vendors.kit.control import CannotExpress, Interval, PlannedEvent

# An interval, and its members as the client sent them.
Posted = Sequence[tuple[Interval, Mapping[str, Any]]]
PlanEvents = Callable[[Interval, datetime], list[PlannedEvent]]

MAX_INTERVALS = 96
# The public names of the members of an interval.
MEMBERS: Mapping[str, str] = {
    "command": "command",
    "start": "start",
    "end": "end",
    "kw": "kw",
    "limit_percent": "stateOfChargeLimitPercent",
    "priority": "priority",
    "allow_export": "allowExport",
}


@dataclass(frozen=True)
class PlannedInterval:
    """An interval of a plan. `asked`: its members as the client sent them. `start`: its start at the vendor, which is
    not past. `refusal`: why no order can be made of it; it may still be that of an order that runs."""

    interval: Interval
    asked: Mapping[str, Any]
    start: datetime
    events: Sequence[PlannedEvent] = ()
    refusal: InvalidRequest | None = None


@dataclass(frozen=True)
class Plan:
    """The plan of a client for a site from now on: intervals in the order of their starts."""

    intervals: Sequence[PlannedInterval]
    program: str | None
    force: bool


def check(posted: Posted, now: datetime) -> None:
    """Raises a 400 Problem that names interval and member for what no vendor could be asked for."""
    for number, (interval, _) in enumerate(posted):
        if interval.end <= interval.start:
            raise _wrong(number, "end", "Must be after start.")
        if interval.end <= now:
            raise _wrong(number, "end", "Must not be past.")
    _refuse_overlaps([interval for interval, _ in posted])


def planned(posted: Posted, plan_events: PlanEvents, now: datetime) -> list[PlannedInterval]:
    """The intervals with their events, by their starts. Raises a 400 Problem for what the vendor cannot express;
    of an interval that has begun and of which too little is left, the refusal is kept instead."""
    intervals = [_planned(number, *each, plan_events, now) for number, each in enumerate(posted)]
    return sorted(intervals, key=lambda each: each.interval.start)


def _planned(
    number: int, interval: Interval, asked: Mapping[str, Any], plan_events: PlanEvents, now: datetime
) -> PlannedInterval:
    try:
        events = plan_events(interval, now)
    except CannotExpress as failure:
        refusal = _wrong(number, MEMBERS.get(failure.member, failure.member), failure.why)
        if failure.member == "end" and interval.start <= now:
            return PlannedInterval(interval, asked, now, refusal=refusal)
        raise refusal from failure
    return PlannedInterval(interval, asked, events[0].start, events)


def _refuse_overlaps(intervals: Sequence[Interval]) -> None:
    in_order = sorted(enumerate(intervals), key=lambda each: each[1].start)
    for (earlier, first), (later, second) in pairwise(in_order):
        if second.start < first.end:
            raise _wrong(later, "start", f"The interval overlaps intervals[{earlier}].")


def _wrong(number: int, member: str, why: str) -> InvalidRequest:
    return invalid(f"intervals[{number}].{member}: {why}")
