"""One look at the orders of a site, within one sweep of its vendor: reads, and then the writes that are due."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.control import measuring, proving
from app.control.budget import Budget
from app.control.measuring import Measured
from app.control.orders import BUDGET_PERIOD, OrderStore, Subject, new_id
from app.control.plan import Plan
from app.control.read_back import read_back, shown
from app.control.replacing import Replacement
from app.control.states import FINAL, State
from app.control.writing import Writer
from app.fleet.vendor_problems import DatabaseUnavailable
from app.storage.control_tables import ControlOrderRow, ControlReadingRow
from app.web.problems import Problem, invalid
from vendors.kit import Key, Vendor
from vendors.kit.control import Control, Event

# Events are read from this time before the present, so that one that has just ended is among them.
LOOK_BACK = timedelta(minutes=10)

# Read-backs of an order that are kept. A look every minute at the longest event of a cloud makes 300.
MAX_READINGS = 1_000


@dataclass(frozen=True)
class Reached:
    """Marks that the vendor has shown the site's events. No other credential is tried after it."""

    key: Key


class ControlRun:
    """Reads a site's events, moves its orders, and makes the writes that are due; with a plan, changes the orders
    first.

    Afterwards `problem` says why a plan was refused; nothing was changed then.
    """

    def __init__(
        self, store: OrderStore, subject: Subject, control: Control, plan: Plan | None, now: Callable[[], datetime]
    ) -> None:
        self._store, self._subject, self._control, self._plan, self._now = store, subject, control, plan, now
        self.problem: Problem | None = None

    def run(self, key: Key, vendor: Vendor) -> Iterator[Reached]:
        """Yields Reached as soon as the vendor has shown the events."""
        try:
            yield from self._run(key, vendor)
        except Problem as problem:
            self.problem = problem
        except SQLAlchemyError as error:
            raise DatabaseUnavailable(why=type(error).__name__) from error

    def _run(self, key: Key, vendor: Vendor) -> Iterator[Reached]:
        orders = self._store.unfinished(self._subject, self._now())
        # An empty list ends the orders of all programs.
        program = self._program(key, vendor, orders) if self._plan and self._plan.intervals else None
        events = self._events(key, vendor, orders, program)
        yield Reached(key)
        moved = self._read_back(orders, events)
        measured = self._measure(key, vendor, orders, events, moved)
        self._prove(key, vendor, orders)
        budget = self._budget()
        writer = Writer(self._store, self._subject, vendor, budget, self._now)
        if self._plan is not None:
            replacement = Replacement(self._store, self._subject, self._plan, program, self._now())
            orders = replacement.make(orders, events, vendor, measured, budget, writer)
        writer.write(orders)

    def _program(self, key: Key, vendor: Vendor, orders: Sequence[ControlOrderRow]) -> str | None:
        """The program of the plan's events: the requested one, or the only one of the site."""
        requested = self._plan.program if self._plan else None
        if not self._control.has_programs:
            if requested is not None:
                raise invalid("programID: This vendor has no programs.")
            return None
        if requested in {order.program for order in orders if order.state == State.TAKEN}:
            return requested
        programs = vendor.control_programs(key)
        if requested in programs:
            return requested
        if requested is None and len(programs) == 1:
            return programs[0]
        shown = ", ".join(sorted(programs)) or "none"
        raise invalid(f"programID: Must name a program of the site; it is enrolled in {shown}.")

    def _events(self, key: Key, vendor: Vendor, orders: Sequence[ControlOrderRow], program: str | None) -> list[Event]:
        """The events of the site in the time of its orders and of the plan, of any maker."""
        now = self._now()
        ends = [order.end_at for order in orders]
        ends += [planned.interval.end for planned in self._plan.intervals] if self._plan else []
        # Of orders that ended long ago the vendor shows no events any more, but its series.
        recent = [
            order for order in orders if order.state not in FINAL and order.end_at > now - proving.SHOWN_AFTER_END
        ]
        starts = [order.start_at for order in recent]
        programs = {order.program for order in orders} | ({program} if self._plan else set())
        if self._control.has_programs:
            programs.discard(None)
        if not programs:
            # Without orders, a read shows whether the client has access to the site.
            programs = set(vendor.control_programs(key)) if self._control.has_programs else {None}
        start, end = min([now - LOOK_BACK, *starts]), max([now, *ends])
        events = [event for each in programs for event in vendor.control_events(key, each, start, end)]
        return list({event.id: event for event in events}.values())

    def _read_back(self, orders: Sequence[ControlOrderRow], events: Sequence[Event]) -> set[str]:
        """Moves the orders by the events; returns the ids of those that have moved."""
        now = self._now()
        before = {order.id: order.state for order in orders}
        made = self._store.event_ids(self._subject.site_id)

        def change(session: Session) -> None:
            session.add_all(orders)
            read_back(orders, events, made, self._control.settles, now)

        if orders:
            self._store.change(self._subject.client_id, change)
        return {order.id for order in orders if order.state != before[order.id]}

    def _measure(
        self, key: Key, vendor: Vendor, orders: Sequence[ControlOrderRow], events: Sequence[Event], moved: set[str]
    ) -> Measured | None:
        """The present power and charge, noted with each order that runs; not read where no order needs it. What has
        moved an order is noted in any case."""
        now = self._now()
        running = {order.id for order in orders if order.state not in FINAL and order.start_at <= now < order.end_at}
        measured = measuring.measured(vendor, key, now) if running or self._plan is not None else None
        noted = self._store.reading_counts(running)

        def change(session: Session) -> None:
            for order in orders:
                is_noted = order.id in running and noted.get(order.id, 0) < MAX_READINGS
                if is_noted or order.id in moved:
                    ours = {event.vendor_id for event in order.events}
                    seen = [shown(event) for event in events if event.id in ours]
                    session.add(reading(order, now, seen, measured if order.id in running else None))

        if running or moved:
            self._store.change(self._subject.client_id, change)
        return measured

    def _prove(self, key: Key, vendor: Vendor, orders: Sequence[ControlOrderRow]) -> None:
        """Gives the verdicts that are due."""
        for order in orders:
            if order.state in FINAL or order.ends_as is not None or order.start_at > self._now():
                continue
            if not proving.is_decidable(order, self._now()):
                continue
            proving.prove(self._store, self._control, order, key, vendor, self._now())

    def _budget(self) -> Budget:
        since = self._now() - BUDGET_PERIOD
        return Budget(self._control.writes_per_day, self._store.writes_since(self._subject.site_id, since))


def reading(
    order: ControlOrderRow, now: datetime, events: list[dict[str, Any]], measured: Measured | None
) -> ControlReadingRow:
    """A read-back of an order."""
    return ControlReadingRow(
        id=new_id(""),
        order_id=order.id,
        at=now,
        events=events,
        measured_at=measured.at if measured else None,
        kw=measured.kw if measured else None,
        soc_percent=measured.soc_percent if measured else None,
    )
