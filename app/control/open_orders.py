"""Orders that are open when what opens their vendor is deleted: credentials, a grant, or their client."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import inspect, or_, select
from sqlalchemy.orm import Session

from app.control.orders import move
from app.control.service import BatteryControl
from app.control.states import FINAL, State
from app.credentials.rows import CREDENTIALS_ID, GRANT_ID, possible_id
from app.credentials.stored import StoredCredentials
from app.fleet.vendor_access import VendorAccess
from app.storage.control_tables import ControlOrderRow
from app.web.problems import Problem
from vendors.kit import Credential, VendorError
from vendors.kit.deadline import Deadline

ABANDONED = "What opens its site was deleted: whether the vendor carries it out is not seen any more."
IN_A_HEADER = "its credential came in a header, which is not stored"
GONE = "its credential is gone"
# The problems of vendors that will not let this credential end anything at another time either.
FOR_GOOD = (400, 403, 404)


@dataclass(frozen=True)
class NotCancelled:
    """An order that could not be cancelled. for_good: whether it is of no use to try again."""

    order: ControlOrderRow
    why: str
    for_good: bool

    def members(self) -> dict[str, Any]:
        """For the caller."""
        return {"id": self.order.id, "siteID": self.order.site_id, "status": str(self.order.state), "why": self.why}


class OpenOrders:
    """Ends the orders that would have nothing to end them any more."""

    def __init__(self, control: BatteryControl, stored: StoredCredentials) -> None:
        self._control, self._stored = control, stored

    def before_deletion(
        self, client_id: str, credentials_id: str, *, force: bool, deadline: Deadline
    ) -> Callable[[Session], None]:
        """Cancels the orders that depend on credentials or a grant, if that is forced. Returns what completes this in
        the transaction that deletes. Raises a 409 Problem if orders are left that can be cancelled."""
        credentials_id = possible_id(credentials_id, f"({CREDENTIALS_ID}|{GRANT_ID})")
        left: Sequence[NotCancelled] = ()
        if force:
            left = self.cancel(self._of(client_id, credentials_id), deadline)
            refuse([each for each in left if not each.for_good])
        spared = {each.order.id for each in left}

        def complete(session: Session) -> None:
            now = self._control.now()
            orders = session.scalars(_open(client_id, now).where(ControlOrderRow.credentials_id == credentials_id))
            for order in orders.all():
                if not force or (order.end_at > now and order.id not in spared):
                    refuse([NotCancelled(order, "it is open", for_good=False)])
                _abandon(order, now)

        return complete

    def cancel_all(self, client_id: str, deadline: Deadline) -> tuple[list[str], list[NotCancelled]]:
        """Cancels all open orders of a client that is to be revoked: the ids of those that are cancelled, and the
        others. None before the database has the tables of this version: access ends all the same."""
        if not self._control.store.read(_has_tables):
            return [], []
        orders = [order for order in self._of(client_id) if order.end_at > self._control.now()]
        left = self.cancel(orders, deadline)
        ids = {each.order.id for each in left}
        return [order.id for order in orders if order.id not in ids], left

    def cancel(self, orders: Sequence[ControlOrderRow], deadline: Deadline) -> list[NotCancelled]:
        """Cancels orders that have not ended, site by site; those that are left."""
        now = self._control.now()
        by_site: dict[tuple[str, str | None], list[ControlOrderRow]] = {}
        for order in orders:
            if order.end_at > now:
                by_site.setdefault((order.site_id, order.credentials_id), []).append(order)
        return [left for of_site in by_site.values() for left in self._cancel_site(of_site, deadline)]

    def _cancel_site(self, orders: Sequence[ControlOrderRow], deadline: Deadline) -> list[NotCancelled]:
        order = orders[0]
        if order.credentials_id is None:
            return [NotCancelled(each, IN_A_HEADER, for_good=True) for each in orders]
        try:
            credential = self._credential(order.client_id, order.credentials_id)
            if credential is None:
                return [NotCancelled(each, GONE, for_good=True) for each in orders]
            access = VendorAccess({order.vendor: [credential]}, addressable=[order.vendor])
            target = self._control.target(order.client_id, order.site_id, access, deadline)
            self._control.put(target, [], None, force=True)
        except Problem as problem:
            for_good = problem.status in FOR_GOOD
            return [NotCancelled(each, problem.detail, for_good=for_good) for each in orders]
        except VendorError as failure:
            return [NotCancelled(each, failure.detail, for_good=True) for each in orders]
        return self._left([each.id for each in orders])

    def _left(self, ids: Sequence[str]) -> list[NotCancelled]:
        """Those of these orders that are still open. One that is no longer to be ended was not let go by its vendor."""
        query = select(ControlOrderRow).where(ControlOrderRow.id.in_(ids), ControlOrderRow.state.not_in(FINAL))
        left = self._control.store.read(lambda session: list(session.scalars(query)))
        return [
            NotCancelled(order, order.text or "the vendor has not ended it yet", for_good=order.ends_as is None)
            for order in left
        ]

    def _credential(self, client_id: str, id: str) -> Credential | None:
        prefix = GRANT_ID if id.startswith(GRANT_ID) else CREDENTIALS_ID
        vendor_and_credential = self._stored.find(id, client_id, prefix)
        return vendor_and_credential[1] if vendor_and_credential else None

    def _of(self, client_id: str, credentials_id: str | None = None) -> list[ControlOrderRow]:
        query = _open(client_id, self._control.now())
        if credentials_id is not None:
            query = query.where(ControlOrderRow.credentials_id == credentials_id)
        return self._control.store.read(lambda session: list(session.scalars(query)))


def _has_tables(session: Session) -> bool:
    return inspect(session.connection()).has_table(ControlOrderRow.__tablename__)


def _open(client_id: str, now: datetime) -> Any:
    """Orders that are not final, or whose events are still to be ended."""
    is_ending = ControlOrderRow.ends_as.is_not(None) & (ControlOrderRow.end_at > now)
    is_open = or_(ControlOrderRow.state.not_in(FINAL), is_ending)
    return select(ControlOrderRow).where(ControlOrderRow.client_id == client_id, is_open)


def _abandon(order: ControlOrderRow, now: datetime) -> None:
    """Closes an order that can neither be ended nor proven any more."""
    order.is_listed, order.ends_as = False, None
    if order.state in FINAL:
        return
    never_sent = order.state == State.SCHEDULED
    move(order, State.CANCELLED if never_sent else State.UNPROVEN, now, None if never_sent else ABANDONED)


def refuse(left: Sequence[NotCancelled]) -> None:
    """Raises a 409 Problem if there are such orders."""
    if left:
        detail = (
            "Orders to batteries depend on it, and nothing was deleted. Wait for their end, or delete with force=true, "
            "which cancels them first."
        )
        raise Problem(409, "open_orders", detail, orders=[each.members() for each in left])
