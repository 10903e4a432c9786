"""The writes of a site's orders, one call each: noted before the call, and with the vendor's answer after it.

A write whose answer is lost is not repeated here; a later read-back shows whether it was made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.control.budget import Budget
from app.control.differences import at_vendor, interval_of
from app.control.orders import NOT_SENT, OrderStore, Subject, close_if_ended, move, new_events, new_id
from app.control.read_back import planned, settle
from app.control.states import FINAL, EventStep, State
from app.storage.control_tables import ControlEventRow, ControlOrderRow, ControlWriteRow
from vendors.kit import Forbidden, NotFound, Vendor, VendorError
from vendors.kit.control import Accepted, CannotExpress, PlannedEvent
from vendors.kit.errors import NotAskedYet, Permanent, Refused, Retired

# Seconds that a write is given at least; one for which less is left is not begun.
WRITE_SECONDS = 3.0
# Failures after which the same write would fail again.
FINAL_FAILURES = (Forbidden, NotFound, Refused, Retired, Permanent, NotAskedYet)
TOO_LATE = "It could not be sent in time."


class WritesStop(Exception):
    """No further write is made in this request: the vendor cannot be asked, or the time or the budget is spent."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended. `failure`: None if it succeeded."""

    text: str
    accepted: Accepted | None = None
    failure: VendorError | None = None

    @property
    def word(self) -> str:
        """The outcome as the receipt shows it."""
        if self.failure is None:
            return "accepted"
        if self.failure.is_uncertain:
            return "uncertain"
        return "refused" if isinstance(self.failure, FINAL_FAILURES) else NOT_SENT


class Writer:
    """Makes the writes of one client's orders at one site, within one request."""

    def __init__(
        self, store: OrderStore, subject: Subject, vendor: Vendor, budget: Budget, now: Callable[[], datetime]
    ) -> None:
        self._store, self._subject, self._vendor, self._budget, self._now = store, subject, vendor, budget, now
        # Vendors end events in their own time: until then they may refuse what takes the place of one.
        self._has_ended = False

    def write(self, orders: Sequence[ControlOrderRow]) -> None:
        """Ends the events that are to be ended, and then makes those that are to be made."""
        try:
            for order in orders:
                if order.ends_as is not None:
                    self._end(order)
            for order in orders:
                if order.ends_as is None and order.state not in FINAL:
                    self._send(order)
        except WritesStop:
            return

    def end_foreign(self, order: ControlOrderRow, event: str, program: str | None, members: dict[str, Any]) -> None:
        """Ends an event that this service has not made, for an order that takes its place."""
        write = self._begin(order, None, "end", members | {"external": True})
        self._finish(order, None, write, self._call(lambda: self._vendor.end_control_event(self._key, program, event)))

    def _end(self, order: ControlOrderRow) -> None:
        for event in at_vendor(order, self._now()):
            vendor_id = event.vendor_id
            if vendor_id is None or event.state == EventStep.ENDING:
                continue  # A read-back shows first whether there is something to end.
            before = event.state
            write = self._begin(order, event, "end", members_of(event))
            outcome = self._call(partial(self._vendor.end_control_event, self._key, order.program, vendor_id))
            self._finish(order, event, write, outcome, before)

    def _send(self, order: ControlOrderRow) -> None:
        if any(event.state == EventStep.SENT for event in order.events):
            return  # Until a read-back has shown what became of it.
        if any(self._waits(event) for event in order.events):
            return
        self._replan(order)
        for event in order.events:
            if event.state != EventStep.PLANNED or order.state in FINAL:
                continue
            write = self._begin(order, event, "add", members_of(event))
            outcome = self._call(partial(self._add, order, planned(event)))
            self._finish(order, event, write, outcome)
            if self._waits(event):
                return  # What is left to be sent is the end of an order.

    def _waits(self, event: ControlEventRow) -> bool:
        """Whether an event was refused a moment ago, and is to be sent once more."""
        settles = self._vendor.control.settles if self._vendor.control else timedelta(0)
        return event.state == EventStep.PLANNED and event.sent_at is not None and self._now() <= event.sent_at + settles

    def _add(self, order: ControlOrderRow, plan: PlannedEvent) -> Accepted:
        return self._vendor.add_control_event(self._key, order.program, plan)

    @property
    def _key(self) -> tuple[str, ...]:
        return self._subject.key

    def _replan(self, order: ControlOrderRow) -> None:
        """Moves a start that has passed since the plan was made to the earliest time that the vendor takes."""
        now = self._now()
        left = [event for event in order.events if event.state == EventStep.PLANNED]
        if not left or left[0].start_at >= now:
            return
        try:
            again = self._vendor.planned_events(replace(interval_of(order), start=left[0].start_at), now)
        except CannotExpress as refusal:
            self._close(order, State.EXPIRED, f"{TOO_LATE} {refusal.why}")
            return

        def change(session: Session) -> None:
            session.add(order)
            for event in left:
                order.events.remove(event)
            order.events.extend(new_events(again, len(order.events)))

        self._store.change(order.client_id, change)

    def _close(self, order: ControlOrderRow, state: State, text: str) -> None:
        def change(session: Session) -> None:
            session.add(order)
            move(order, state, self._now(), text)
            for event in order.events:
                if event.state == EventStep.PLANNED:
                    event.state = EventStep.OVER

        self._store.change(order.client_id, change)

    def _begin(
        self, order: ControlOrderRow, event: ControlEventRow | None, action: str, members: dict[str, Any]
    ) -> ControlWriteRow:
        """Notes that a write begins."""
        if self._vendor.client.deadline.left() < WRITE_SECONDS or not self._budget.take(ends=action == "end"):
            raise WritesStop
        now = self._now()
        write = ControlWriteRow(id=new_id(""), order_id=order.id, site_id=order.site_id, action=action, event=members)
        write.sent_at, write.answer = now, ""

        def change(session: Session) -> None:
            session.add_all((order, write))
            if event is not None:
                event.sent_at = now
                event.state = EventStep.SENT if action == "add" else EventStep.ENDING
            if action == "add":
                move(order, State.SENT, now)

        self._store.change(order.client_id, change)
        return write

    def _call(self, call: Callable[[], Accepted | str]) -> Outcome:
        try:
            answer = call()
        except VendorError as failure:
            return Outcome(failure.words or str(failure), failure=failure)
        return Outcome(answer) if isinstance(answer, str) else Outcome(answer.text, answer)

    def _finish(
        self,
        order: ControlOrderRow,
        event: ControlEventRow | None,
        write: ControlWriteRow,
        outcome: Outcome,
        before: str = EventStep.PLANNED,
    ) -> None:
        """Notes the answer of a write. before: the event's step before it. Raises WritesStop unless the next write has
        a chance."""
        now = self._now()

        def change(session: Session) -> None:
            session.add_all((order, write))
            write.answered_at, write.outcome, write.answer = now, outcome.word, outcome.text
            if event is not None:
                if write.action == "add" and self._has_ended and isinstance(outcome.failure, Refused):
                    event.state, order.text = EventStep.PLANNED, outcome.text
                    settle(order, now)
                else:
                    _note(order, event, outcome, before, now)

        self._store.change(order.client_id, change)
        self._has_ended |= write.action == "end" and outcome.failure is None
        if outcome.word == NOT_SENT:
            self._budget.taken -= 1
        if outcome.failure is not None and not isinstance(outcome.failure, FINAL_FAILURES):
            raise WritesStop


def _note(order: ControlOrderRow, event: ControlEventRow, outcome: Outcome, before: str, now: datetime) -> None:
    """Moves an order and its event by the outcome of a write."""
    was_adding = event.state == EventStep.SENT
    if outcome.word == "uncertain":
        order.text = outcome.text
        return
    if outcome.accepted is not None:
        event.vendor_id, event.accepted_kw = outcome.accepted.id, outcome.accepted.kw
        event.state, event.text = EventStep.ACCEPTED, outcome.text
    elif outcome.word == "accepted":
        event.state, event.text = EventStep.OVER, outcome.text
    elif outcome.word == NOT_SENT:
        event.state, event.sent_at = before, None if was_adding else event.sent_at
        order.text = outcome.text
    elif was_adding:
        event.state = EventStep.OVER
        _refuse(order, outcome.text, now)
    elif isinstance(outcome.failure, NotFound):
        event.state = EventStep.OVER
    else:
        # The vendor does not end it: it goes on, and stays in the list.
        event.state, event.text = before, outcome.text
        order.ends_as, order.is_listed = None, True
    close_if_ended(order, now)
    settle(order, now)


def _refuse(order: ControlOrderRow, text: str, now: datetime) -> None:
    """Closes an order that the vendor refuses. Its earlier events are ended."""
    move(order, State.FAILED, now, text)
    order.ends_as = State.FAILED
    for event in order.events:
        if event.state == EventStep.PLANNED:
            event.state = EventStep.OVER


def members_of(event: ControlEventRow) -> dict[str, Any]:
    """An event as the receipt shows it."""
    return {
        "id": event.vendor_id,
        "start": event.start_at.isoformat(),
        "end": event.end_at.isoformat(),
        "mode": event.mode,
        "kw": event.kw,
        "stateOfChargeLimitPercent": event.limit_percent,
    }
