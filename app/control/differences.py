"""Compares a new plan with the orders of a site, so that only differences are written."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.control.plan import Plan, PlannedInterval
from app.control.states import AT_VENDOR, State
from app.storage.control_tables import ControlEventRow, ControlOrderRow
from vendors.kit.control import Command, Event, EventState, Interval, Priority

# Orders in these states are not repeated by the same interval again unless it is forced: that would write without end.
FRUITLESS = (State.NOT_APPLIED, State.FAILED, State.EXTERNAL, State.UNPROVEN)
ACTIVE = (EventState.SCHEDULED, EventState.RUNNING)


@dataclass
class Differences:
    """The changes that a plan makes."""

    kept: list[ControlOrderRow] = field(default_factory=list)
    withdrawn: list[ControlOrderRow] = field(default_factory=list)
    added: list[PlannedInterval] = field(default_factory=list)


def interval_of(order: ControlOrderRow) -> Interval:
    """The order's interval in the terms of plugins."""
    return Interval(
        command=Command(order.command),
        start=order.start_at,
        end=order.end_at,
        kw=order.kw,
        limit_percent=order.limit_percent,
        priority=Priority(order.priority) if order.priority else None,
        allow_export=order.allow_export,
    )


def differences(orders: Iterable[ControlOrderRow], plan: Plan, now: datetime) -> Differences:
    """Of the client's listed orders that have not ended, those that the plan keeps and those that it withdraws, and the
    intervals for which it has none. An interval that has begun is kept whole, or withdrawn."""
    result = Differences()
    ahead = [order for order in orders if order.is_listed and order.end_at > now and order.ends_as is None]
    missing = list(plan.intervals)
    for order in ahead:
        same = next((planned for planned in missing if _is_same(order, planned, now)), None)
        if same is not None and not (plan.force and order.state in FRUITLESS):
            missing.remove(same)
            result.kept.append(order)
        elif order.state != State.EXTERNAL or plan.force:
            result.withdrawn.append(order)
    result.added = missing
    return result


def _is_same(order: ControlOrderRow, planned: PlannedInterval, now: datetime) -> bool:
    """Whether the order is what the interval asks for. Both may have begun, at whatever time."""
    interval, asked = interval_of(order), planned.interval
    same_start = order.start_at in (asked.start, planned.start) or (
        asked.start <= now and order.start_at <= planned.start
    )
    return same_start and all(
        getattr(interval, name) == getattr(asked, name)
        for name in ("command", "end", "kw", "limit_percent", "priority", "allow_export")
    )


def external_orders(orders: Iterable[ControlOrderRow], plan: Plan, now: datetime) -> list[ControlOrderRow]:
    """Listed orders that were changed from outside, in the time that the plan would rewrite."""
    return [
        order
        for order in orders
        if order.is_listed
        and order.state == State.EXTERNAL
        and order.end_at > now
        and any(_overlap(order.start_at, order.end_at, planned) for planned in plan.intervals)
    ]


def foreign_events(events: Iterable[Event], ours: Collection[str], plan: Plan) -> list[Event]:
    """Events in the time that the plan writes whose ids are not among those of orders (`ours`)."""
    return [
        event
        for event in events
        if event.id not in ours
        and event.state in ACTIVE
        and any(_overlap(event.start, event.end, planned) for planned in plan.intervals)
    ]


def _overlap(start: datetime, end: datetime, planned: PlannedInterval) -> bool:
    return start < planned.interval.end and planned.start < end


def writes_needed(result: Differences, foreign: Sequence[Event], now: datetime) -> int:
    """The calls that the plan takes, if each succeeds."""
    ended = sum(len(at_vendor(order, now)) for order in result.withdrawn)
    return ended + len(foreign) + sum(len(planned.events) for planned in result.added)


def at_vendor(order: ControlOrderRow, now: datetime) -> list[ControlEventRow]:
    """The events of an order that the vendor has, or may have, and that have not ended."""
    return [event for event in order.events if event.state in AT_VENDOR and event.end_at > now]
