"""When the vendor is to be asked about an order: each call costs the caller's quota."""

from datetime import datetime, timedelta

from app.control.differences import at_vendor
from app.control.states import FINAL, EventStep
from app.storage.control_tables import ControlOrderRow
from vendors.kit.control import Control

# An order that lies ahead is looked at this often, whether it is still there.
AHEAD = timedelta(minutes=5)
# An order that runs as the vendor has shown it is not looked at again sooner.
AGAIN = timedelta(seconds=10)


def is_due(order: ControlOrderRow, control: Control, lag: timedelta, now: datetime) -> bool:
    """Whether a read could show something new, or a write is to be made."""
    if order.ends_as is not None and at_vendor(order, now):
        return True
    if order.state in FINAL:
        return False
    steps = {event.state for event in order.events}
    if steps & {EventStep.PLANNED, EventStep.SENT, EventStep.ENDING}:
        return True
    since = now - order.reported_at
    if order.start_at > now and steps == {EventStep.TAKEN}:
        return since >= AHEAD
    if order.end_at <= now < order.end_at + lag:
        return False
    return since >= (max(control.settles, AGAIN) if steps == {EventStep.TAKEN} else control.settles)
