"""One look at the orders of a site, within one sweep of its vendor: reads, and then the writes that are due."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.control import measuring, proving
from app.control.budget import Budget
from app.control.differences import Differences, differences, external_orders, foreign_events, writes_needed
from app.control.orders import (
    BUDGET_PERIOD,
    OrderStore,
    Subject,
    new_id,
    new_order,
    unfinished,
    withdraw,
)
from app.control.plan import Plan
from app.control.read_back import read_back
from app.control.states import FINAL, State
from app.control.writing import Writer
from app.fleet.vendor_problems import DatabaseUnavailable
from app.storage.control_tables import ControlEventRow, ControlOrderRow, ControlReadingRow
from app.web.problems import Problem, invalid
from vendors.kit import Key, Vendor
from vendors.kit.control import Control, Event

# Events are read from this time before the present, so that one that has just ended is among them.
LOOK_BACK = timedelta(minutes=10)


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
        program = self._program(key, vendor) if self._plan else None
        orders = self._store.read(
            lambda session: list(
                session.scalars(unfinished(self._subject.client_id, self._subject.site_id, self._now()))
            )
        )
        events = self._events(key, vendor, orders, program)
        yield Reached(key)
        self._read_back(orders, events)
        measured = self._measure(key, vendor, orders, events)
        self._prove(key, vendor, orders)
        budget = self._budget()
        writer = Writer(self._store, self._subject, vendor, budget, self._now)
        if self._plan is not None:
            orders = self._change(self._plan, program, orders, events, vendor, measured, budget, writer)
        writer.write(orders)

    def _program(self, key: Key, vendor: Vendor) -> str | None:
        """The program of the plan's events: the requested one, or the only one of the site."""
        requested = self._plan.program if self._plan else None
        if not self._control.has_programs:
            if requested is not None:
                raise invalid("programID: This vendor has no programs.")
            return None
        if requested is not None:
            return requested
        programs = vendor.control_programs(key)
        if len(programs) == 1:
            return programs[0]
        shown = ", ".join(sorted(programs)) or "none"
        raise invalid(f"programID: Must name the program; the site is enrolled in {shown}.")

    def _events(self, key: Key, vendor: Vendor, orders: Sequence[ControlOrderRow], program: str | None) -> list[Event]:
        """The events of the site in the time of its orders and of the plan, whoever made them."""
        now = self._now()
        ends = [order.end_at for order in orders]
        ends += [planned.interval.end for planned in self._plan.intervals] if self._plan else []
        starts = [order.start_at for order in orders if order.state not in FINAL]
        programs = {order.program for order in orders} | ({program} if self._plan else set())
        start, end = min([now - LOOK_BACK, *starts]), max([now, *ends])
        events = [event for each in programs for event in vendor.control_events(key, each, start, end)]
        return list({event.id: event for event in events}.values())

    def _read_back(self, orders: Sequence[ControlOrderRow], events: Sequence[Event]) -> None:
        now = self._now()

        def change(session: Session) -> None:
            session.add_all(orders)
            read_back(orders, events, self._control.settles, now)

        self._store.change(self._subject.client_id, change)

    def _measure(
        self, key: Key, vendor: Vendor, orders: Sequence[ControlOrderRow], events: Sequence[Event]
    ) -> "measuring.Measured | None":
        """The present power and charge, noted with each order that is open; not read where no order needs it."""
        now = self._now()
        running = [order for order in orders if order.state not in FINAL and order.start_at <= now]
        needed = self._plan is not None or any(order.end_at > now for order in running)
        measured = measuring.measured(vendor, key, now) if needed else None
        ours = {order.id: {event.vendor_id for event in order.events} for order in orders}

        def change(session: Session) -> None:
            for order in orders:
                if order.state in FINAL and order not in running:
                    continue
                seen = [shown(event) for event in events if event.id in ours[order.id]]
                session.add(reading(order, now, seen, measured if order in running and order.end_at > now else None))

        if orders:
            self._store.change(self._subject.client_id, change)
        return measured

    def _prove(self, key: Key, vendor: Vendor, orders: Sequence[ControlOrderRow]) -> None:
        """Gives the verdicts that are due."""
        for order in orders:
            if order.state in FINAL or order.ends_as is not None or order.start_at > self._now():
                continue
            if not proving.is_decidable(order):
                continue
            proving.prove(self._store, self._control, order, key, vendor, self._now())

    def _budget(self) -> Budget:
        since = self._now() - BUDGET_PERIOD
        return Budget(self._control.writes_per_day, self._store.writes_since(self._subject.site_id, since))

    def _change(
        self,
        plan: Plan,
        program: str | None,
        orders: Sequence[ControlOrderRow],
        events: Sequence[Event],
        vendor: Vendor,
        measured: "measuring.Measured | None",
        budget: Budget,
        writer: Writer,
    ) -> list[ControlOrderRow]:
        """Makes the plan the site's list: all its orders are stored before the first write. Returns the orders for
        which writes may be due."""
        now = self._now()
        foreign = foreign_events(events, self._known(), plan)
        if not plan.force:
            _refuse_conflicts(foreign, external_orders(orders, plan, now))
        changes = differences(orders, plan, now)
        budget.require(writes_needed(changes, foreign, now), now)
        rating = measuring.rating_kw(vendor, measured.vendor_id) if measured and changes.added else None
        before = (measured.members() if measured else {}) | {"events": [shown(event) for event in events]}
        plan_id, row = new_id("plan-"), vendor.credential.row
        added = [
            new_order(
                self._subject, planned, plan_id=plan_id, program=program, credentials_id=row.id if row else None,
                rating_kw=rating, before=before, now=now,
            )
            for planned in changes.added
        ]  # fmt: skip
        self._store_changes(orders, changes, added, plan, now)
        for event in foreign if added else ():
            overlapping = next(
                (each for each in added if each.start_at < event.end and event.start < each.end_at), added[0]
            )
            writer.end_foreign(overlapping, event.id, program, shown(event))
        return [*orders, *added]

    def _store_changes(
        self,
        orders: Sequence[ControlOrderRow],
        changes: Differences,
        added: Sequence[ControlOrderRow],
        plan: Plan,
        now: datetime,
    ) -> None:
        final = State.SUPERSEDED if plan.intervals else State.CANCELLED

        def change(session: Session) -> None:
            session.add_all([*orders, *added])
            for order in changes.withdrawn:
                withdraw(order, final, now)
            for order in orders:
                if order.state in FINAL and order.end_at <= now:
                    order.is_listed = False

        self._store.change(self._subject.client_id, change)

    def _known(self) -> list[str]:
        """The vendor's ids of all events that this service has made at the site, for whichever client."""
        query = select(ControlEventRow.vendor_id).join(ControlOrderRow)
        query = query.where(ControlOrderRow.site_id == self._subject.site_id, ControlEventRow.vendor_id.is_not(None))
        return self._store.read(lambda session: [id for id in session.scalars(query) if id])


def reading(
    order: ControlOrderRow, now: datetime, events: list[dict[str, Any]], measured: "measuring.Measured | None"
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


def shown(event: Event) -> dict[str, Any]:
    """An event as the vendor shows it."""
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


def _refuse_conflicts(foreign: Sequence[Event], external: Sequence[ControlOrderRow]) -> None:
    """Raises a 409 Problem for what was made or changed at the vendor by others in the time of the plan."""
    if not foreign and not external:
        return
    detail = (
        "Events of this time were made or changed at the vendor, and not by this service. Nothing was changed; "
        "with force=true the plan takes their place."
    )
    members = {
        "events": [shown(event) for event in foreign],
        "orders": [{"id": order.id, "status": f"{order.state}: {order.text}"} for order in external],
    }
    raise Problem(409, "control_conflict", detail, **members)
