"""Battery control as the routes use it: a new plan, the present list, and the history of a site."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.control import plan
from app.control.budget import Budget
from app.control.differences import at_vendor
from app.control.due import is_due
from app.control.leases import SiteLeases
from app.control.orders import BUDGET_PERIOD, OrderStore, Subject
from app.control.plan import Plan, Posted
from app.control.run import ControlRun, Reached
from app.control.states import FINAL, EventStep
from app.fleet.inventory import Inventory
from app.fleet.reading import ReadResult
from app.fleet.vendor_access import VendorAccess
from app.storage.control_tables import ControlOrderRow
from app.storage.database import Database
from app.web.problems import InvalidRequest, Problem
from vendors.kit import Site, Vendor
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.control import Control
from vendors.kit.deadline import Deadline


@dataclass(frozen=True)
class Target:
    """A site whose batteries a client may control, for one request."""

    subject: Subject
    plugin: type[Vendor]
    control: Control
    access: VendorAccess
    deadline: Deadline


@dataclass(frozen=True)
class SiteControl:
    """The present list of a site. pending: writes that are still to be made. result: None if the vendor was not
    asked."""

    orders: Sequence[ControlOrderRow]
    budget: Budget
    pending: int
    result: ReadResult | None


class BatteryControl:
    """Orders to the batteries of sites. now: the clock by which orders begin and end."""

    def __init__(self, inventory: Inventory, database: Database) -> None:
        self._inventory, self.store, self._leases = inventory, OrderStore(database), SiteLeases(database)
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def target(self, client_id: str, site_id: str, access: VendorAccess, deadline: Deadline) -> Target:
        """The site behind an id. Raises a Problem: as for reading it, and 400 if its vendor cannot be controlled."""
        id_row, plugin = self._inventory.plugin(Site, site_id, access, deadline)
        if plugin.control is None:
            raise Problem(400, "control_unsupported", plugin.no_control, vendor=id_row.vendor)
        subject = Subject(client_id, site_id, id_row.vendor, id_row.key)
        return Target(subject, plugin, plugin.control, access, deadline)

    def check(self, posted: Posted) -> None:
        """Raises a 400 Problem that names interval and member for what no vendor could be asked for."""
        plan.check(posted, self.now())

    def put(self, target: Target, posted: Posted, program: str | None, *, force: bool) -> SiteControl:
        """Replaces the list of a site. Raises a Problem if nothing was changed: 400 for what its vendor cannot be asked
        for, 409 for a conflict, 429 without the budget for it."""
        try:
            intervals = plan.planned(posted, target.plugin.planned_events, self.now())
        except InvalidRequest as refusal:
            if not self.store.exist(target.subject.client_id, target.subject.site_id):
                # Only once the vendor has shown the site: the answer would tell that there is one with this id.
                self._run(target, None)
            raise refusal
        with self._leases.plan(target.subject.site_id, target.deadline):
            result = self._run(target, Plan(intervals, program, force))
        return self._site(target, result)

    def get(self, target: Target) -> SiteControl:
        """The list of a site, after the calls that are due. A vendor that cannot be asked is in the result."""
        return self._site(target, self._look(target) if self._is_due(target) else None)

    def history(self, target: Target, after: str, count: int) -> list[ControlOrderRow]:
        """Orders of a site, the newest first; for the first page after the calls that are due."""
        if not after and self._is_due(target):
            self._look(target)
        return self.store.history(target.subject.client_id, target.subject.site_id, after, count)

    def _is_due(self, target: Target) -> bool:
        """Whether the vendor is to be asked: for its orders, or whether the client has access to a site for which it
        has none."""
        subject, now = target.subject, self.now()
        if not self.store.exist(subject.client_id, subject.site_id):
            return True
        orders = self.store.unfinished(subject, now)
        return any(is_due(order, target.control, target.plugin.lag, now) for order in orders)

    def _look(self, target: Target) -> ReadResult | None:
        """Makes the calls that are due, unless another request is at it."""
        subject = target.subject
        if not self.store.exist(subject.client_id, subject.site_id):
            return self._run(target, None)  # Nothing is written.
        with self._leases.look(subject.site_id, target.deadline) as is_taken:
            return self._run(target, None) if is_taken else None

    def _run(self, target: Target, new: Plan | None) -> ReadResult:
        """Raises a Problem if the vendor could not be asked, unless orders are to be shown without it."""
        run = ControlRun(self.store, target.subject, target.control, new, self.now)
        result = self._inventory.read(
            Site, target.subject.site_id, target.access, target.deadline, Mode.REUSE, run.run, expected=Reached
        )
        if run.problem is not None:
            raise run.problem
        is_shown = new is None and self.store.exist(target.subject.client_id, target.subject.site_id)
        if not result.sweep.has(Reached) and not is_shown:
            raise result.problem()
        return result

    def _site(self, target: Target, result: ReadResult | None) -> SiteControl:
        subject, now = target.subject, self.now()
        times = self.store.writes_since(subject.site_id, now - BUDGET_PERIOD)
        pending = sum(_pending(order, now) for order in self.store.unfinished(subject, now))
        listed = self.store.listed(subject.client_id, subject.site_id)
        return SiteControl(listed, Budget(target.control.writes_per_day, times), pending, result)


def _pending(order: ControlOrderRow, now: datetime) -> int:
    """The writes that an order still takes."""
    if order.ends_as is not None:
        return len(at_vendor(order, now))
    if order.state in FINAL:
        return 0
    return sum(event.state == EventStep.PLANNED for event in order.events)
