"""Gives the verdict on an order from its read-backs and the site's series, and keeps it."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.control import measuring
from app.control.differences import interval_of
from app.control.orders import OrderStore, move
from app.control.states import EventStep, State
from app.control.verification import Reading, Verdict, verdict
from app.storage.control_tables import ControlOrderRow, ControlReadingRow
from vendors.kit import Key, Vendor
from vendors.kit.control import Control

# The series is read once the vendor has had time to report it.
PATIENCE = timedelta(minutes=1)
# How long vendors list events that have ended.
SHOWN_AFTER_END = timedelta(days=28)


def is_decidable(order: ControlOrderRow, now: datetime) -> bool:
    """Whether the vendor has shown all of the order: a battery that happens to do what an unknown event asked for obeys
    no order. What the vendor does not show any more after its time is decided by what flowed."""
    steps = {event.state for event in order.events} - {EventStep.OVER}
    if now > order.end_at + SHOWN_AFTER_END:
        return bool(steps) and steps <= {EventStep.TAKEN, EventStep.ACCEPTED}
    return steps == {EventStep.TAKEN}


def prove(store: OrderStore, control: Control, order: ControlOrderRow, key: Key, vendor: Vendor, now: datetime) -> None:
    """Moves an order to its final state if the verdict is final; otherwise keeps the verdict for the receipt."""
    query = select(ControlReadingRow).where(ControlReadingRow.order_id == order.id, ControlReadingRow.kw.is_not(None))
    rows = store.read(lambda session: list(session.scalars(query.order_by(ControlReadingRow.at))))
    readings = [Reading(row.measured_at or row.at, row.kw or 0.0, row.soc_percent) for row in rows]
    series = None
    if control.has_series:
        is_due = now >= order.end_at + vendor.lag + PATIENCE
        series = measuring.flows(vendor, key, order.start_at, order.end_at, now) if is_due else []
    decided = verdict(interval_of(order), order.rating_kw, readings, series, control.takes_effect, now)
    if decided is not None:
        store.change(order.client_id, lambda session: _keep(session, order, decided, now))


def _keep(session: Session, order: ControlOrderRow, decided: Verdict, now: datetime) -> None:
    session.add(order)
    order.verdict = {
        "state": decided.state.value,
        "rule": decided.rule.value,
        "numbers": dict(decided.numbers),
        "at": now.isoformat(),
        "isFinal": decided.is_final,
    }
    if decided.is_final:
        move(order, State(decided.state.value), now)
