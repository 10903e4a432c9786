"""Compares an order with the events that its vendor shows."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.control.differences import ACTIVE
from app.control.orders import NEVER_SEEN, close_if_ended, move
from app.control.states import AT_VENDOR, FINAL, EventStep, State
from app.storage.control_tables import ControlEventRow, ControlOrderRow
from vendors.kit.control import Event, EventState, PlannedEvent

# The longest time that a call which was begun may still be under way.
LONGEST_CALL = timedelta(seconds=60)
NOT_SHOWN = "The vendor has accepted it, and does not show it yet."
CHANGED = "It was changed or ended at the vendor, and not by this service."


def planned(row: ControlEventRow) -> PlannedEvent:
    """The event as it was planned."""
    return PlannedEvent(row.start_at, row.end_at, row.mode, row.kw, row.limit_percent)


def is_of(event: Event, row: ControlEventRow) -> bool:
    """Whether the vendor shows what was planned. It may have capped the power."""
    plan = planned(row)
    if event.kw is None or row.kw is None or abs(event.kw) > abs(row.kw) or event.kw * row.kw < 0:
        return event.is_of(plan)
    return event.is_of(PlannedEvent(plan.start, plan.end, plan.mode, event.kw, plan.limit_percent))


def read_back(
    orders: Iterable[ControlOrderRow], events: Iterable[Event], made: Collection[str], settles: timedelta, now: datetime
) -> None:
    """Moves orders to where the vendor's events show them to be. Each is looked at once a write has had its time to
    settle: until then a missing event proves nothing. made: the vendor's ids of the events of all orders of the site,
    closed ones included; no lost write has made these."""
    shown = {event.id: event for event in events}
    claimed = set(made)
    for order in orders:
        for row in order.events:
            if row.vendor_id is None and row.sent_at is not None and row.state != EventStep.OVER:
                _find_lost(order, row, shown, claimed, settles, now)
        _look(order, shown, settles, now)


def _find_lost(
    order: ControlOrderRow,
    row: ControlEventRow,
    shown: Mapping[str, Event],
    claimed: set[str],
    settles: timedelta,
    now: datetime,
) -> None:
    """Finds the event that a write without an answer has made. If there is none after a while, it has made none."""
    event = next((event for id, event in shown.items() if id not in claimed and is_of(event, row)), None)
    if event is not None:
        claimed.add(event.id)
        row.vendor_id, row.state = event.id, EventStep.ACCEPTED
        if order.state == State.SCHEDULED:
            move(order, State.SENT, now)
    elif row.sent_at is not None and now > row.sent_at + LONGEST_CALL + settles:
        row.state = EventStep.PLANNED


def _look(order: ControlOrderRow, shown: Mapping[str, Event], settles: timedelta, now: datetime) -> None:
    for row in order.events:
        if row.state not in AT_VENDOR or row.vendor_id is None:
            continue
        is_settled = row.sent_at is None or now > row.sent_at + settles
        event = shown.get(row.vendor_id)
        if event is not None:
            row.text = event.text
        if row.state == EventStep.ENDING or order.ends_as is not None:
            _look_at_ending(row, event, is_settled=is_settled)
        elif event is None:
            if is_settled and (row.end_at > now or row.state == EventStep.ACCEPTED):
                _note_missing(order, row, now)
        else:
            _note_shown(order, row, event, now, is_settled=is_settled)
    settle(order, now)


def _look_at_ending(row: ControlEventRow, event: Event | None, *, is_settled: bool) -> None:
    """An event that is to be ended is over once it is shown no longer, and is ended again if it is still shown."""
    if event is None or event.state not in ACTIVE:
        row.state = EventStep.OVER
    elif is_settled and row.state == EventStep.ENDING:
        row.state = EventStep.TAKEN


def _note_missing(order: ControlOrderRow, row: ControlEventRow, now: datetime) -> None:
    """An event that was never shown is given up at the second read without it: reads may lag behind by one write."""
    was_seen = row.state == EventStep.TAKEN
    if not was_seen and row.text != NOT_SHOWN:
        row.text, row.sent_at = NOT_SHOWN, now
        return
    row.state = EventStep.OVER
    if order.state not in FINAL:
        _close(order, *((State.EXTERNAL, CHANGED) if was_seen else (State.NOT_APPLIED, NEVER_SEEN)), now)


def _note_shown(order: ControlOrderRow, row: ControlEventRow, event: Event, now: datetime, *, is_settled: bool) -> None:
    is_ended_early = event.state == EventState.ENDED and row.end_at > now
    if event.state == EventState.FAILED:
        row.state = EventStep.OVER
        if order.state not in FINAL:
            _close(order, State.FAILED, event.reason or event.text, now)
    elif event.state in (EventState.REMOVED, EventState.OPTED_OUT) or is_ended_early:
        row.state = EventStep.OVER
        if order.state not in FINAL:
            _close(order, State.EXTERNAL, event.text or CHANGED, now)
    elif is_of(event, row):
        row.state, row.accepted_kw = EventStep.TAKEN, event.kw
    elif is_settled and order.state not in FINAL:
        was_seen = row.state == EventStep.TAKEN
        row.state = EventStep.TAKEN
        _close(order, State.EXTERNAL if was_seen else State.NOT_APPLIED, f"{CHANGED} {event.text}".strip(), now)


def _close(order: ControlOrderRow, state: State, text: str, now: datetime) -> None:
    """Closes an order that went another way. What the vendor has not got yet is not sent; of one that has failed, what
    the vendor has is ended, since half an interval is not what was asked."""
    move(order, state, now, text)
    if state is State.FAILED:
        order.ends_as = state
    for row in order.events:
        if row.state == EventStep.PLANNED:
            row.state = EventStep.OVER


def settle(order: ControlOrderRow, now: datetime) -> None:
    """Moves an order to the state that the steps of its events make up."""
    close_if_ended(order, now)
    if order.state in FINAL:
        return
    order.reported_at = now
    steps = {row.state for row in order.events if row.state != EventStep.OVER}
    texts = dict.fromkeys(row.text for row in order.events if row.text)
    if texts:
        order.text = ", ".join(texts)
    if order.end_at <= now and EventStep.PLANNED in steps:
        move(order, State.EXPIRED, now)
    elif steps == {EventStep.TAKEN}:
        move(order, State.TAKEN, now)
    elif EventStep.ACCEPTED in steps and steps <= {EventStep.TAKEN, EventStep.ACCEPTED}:
        move(order, State.ACCEPTED, now)
    elif steps == {EventStep.PLANNED} and order.state == State.SENT:
        move(order, State.SCHEDULED, now)


def shown(event: Event) -> dict[str, Any]:
    """An event as the vendor shows it, for the receipt."""
    return {
        "id": event.id,
        "start": event.start.isoformat(),
        "end": event.end.isoformat(),
        "mode": event.mode,
        "kw": event.kw,
        "stateOfChargeLimitPercent": event.limit_percent,
        "state": event.state.value,
        "text": event.text,
    }
