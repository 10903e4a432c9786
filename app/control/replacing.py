"""Makes a plan the list of a site: all its orders are stored before the first write."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.control import measuring
from app.control.budget import Budget
from app.control.conflicts import refuse_plan_of_others, refuse_without_credentials
from app.control.differences import Differences, differences, external_orders, foreign_events, writes_needed
from app.control.measuring import Measured
from app.control.orders import OrderStore, Subject, new_id, new_order, of_site, withdraw
from app.control.plan import Plan
from app.control.read_back import shown
from app.control.states import FINAL, State
from app.control.writing import Writer
from app.storage.control_tables import ControlOrderRow
from app.web.problems import Problem
from vendors.kit import Vendor
from vendors.kit.control import Event


class Replacement:
    """The change of a site's list to a plan."""

    def __init__(self, store: OrderStore, subject: Subject, plan: Plan, program: str | None, now: datetime) -> None:
        self._store, self._subject, self._plan, self._program, self._now = store, subject, plan, program, now

    def make(
        self,
        orders: Sequence[ControlOrderRow],
        events: Sequence[Event],
        vendor: Vendor,
        measured: Measured | None,
        budget: Budget,
        writer: Writer,
    ) -> list[ControlOrderRow]:
        """The orders for which writes may be due. Raises a Problem, and has changed nothing then: 409 for a conflict,
        429 without the budget for it, 400
        for an interval of which too little is left for an order."""
        site = self._subject.site_id
        ours = self._store.event_ids(site) - self._store.stray_ids(site)
        foreign = foreign_events(events, ours, self._plan)
        others = self._store.of_others(self._subject, self._now) if self._plan.intervals else []
        if not self._plan.force:
            refuse_plan_of_others(others)
            _refuse_conflicts(foreign, external_orders(orders, self._plan, self._now))
        changes = differences(orders, self._plan, self._now)
        for planned in changes.added:
            if planned.refusal is not None:
                raise planned.refusal
        changes.withdrawn += others
        orders = [*orders, *others]
        if changes.added:
            budget.require(writes_needed(changes, foreign, self._now), self._now)
        added = self._added(changes, events, vendor, measured)
        self._store_changes(orders, changes, added)
        for event in foreign:
            order = next(each for each in added if each.start_at < event.end and event.start < each.end_at)
            writer.end_foreign(order, event.id, self._program, shown(event))
        return [*orders, *added]

    def _added(
        self, changes: Differences, events: Sequence[Event], vendor: Vendor, measured: Measured | None
    ) -> list[ControlOrderRow]:
        """The new orders, with the site's state before them."""
        if not changes.added:
            return []
        row = vendor.credential.row
        members: dict[str, Any] = {
            "plan_id": new_id("plan-"),
            "program": self._program,
            "credentials_id": row.id if row else None,
            "rating_kw": measuring.rating_kw(vendor, measured.vendor_id) if measured else None,
            "before": (measured.members() if measured else {}) | {"events": [shown(event) for event in events]},
            "now": self._now,
        }
        return [new_order(self._subject, planned, **members) for planned in changes.added]

    def _store_changes(
        self, orders: Sequence[ControlOrderRow], changes: Differences, added: Sequence[ControlOrderRow]
    ) -> None:
        final = State.SUPERSEDED if self._plan.intervals else State.CANCELLED

        def change(session: Session) -> None:
            refuse_without_credentials(session, added)
            session.add_all([*orders, *added])
            for order in changes.withdrawn:
                withdraw(order, final, self._now)
            listed = of_site(self._subject.client_id, self._subject.site_id).where(ControlOrderRow.is_listed)
            for order in session.scalars(listed.where(ControlOrderRow.end_at <= self._now)):
                order.is_listed = order.state not in FINAL

        self._store.change(self._subject.client_id, change)


def _refuse_conflicts(foreign: Sequence[Event], external: Sequence[ControlOrderRow]) -> None:
    """Raises a 409 Problem for what was made or changed at the vendor by others in the time of the plan."""
    if not foreign and not external:
        return
    detail = (
        "Events of this time at the vendor belong to no order of this service, or were changed there. Nothing was "
        "changed; with force=true the plan takes their place."
    )
    raise Problem(
        409,
        "control_conflict",
        detail,
        events=[shown(event) for event in foreign],
        orders=[{"id": order.id, "status": f"{order.state}: {order.text}"} for order in external],
    )
