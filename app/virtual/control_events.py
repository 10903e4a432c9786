"""Commands to the batteries of virtual sites, in the database, and what the batteries obey.

Nothing that is past changes: an event begins at the earliest when it is made, and when it is ended, its end becomes
the present.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.fleet.vendor_problems import NothingHere
from app.storage.virtual_tables import BATTERY, VirtualControlEventRow, VirtualDeviceRow, VirtualSiteRow
from app.virtual.new import new_id
from simulation.battery import RATED_C
from simulation.commands import BatteryCommand
from vendors.kit import CommandRefused
from vendors.kit.control import Event, EventState, PlannedEvent

# Older events of a site are deleted.
MAX_EVENTS = 2_000
TEXTS = {
    EventState.SCHEDULED: "Scheduled",
    EventState.RUNNING: "In progress",
    EventState.ENDED: "Ended",
    EventState.REMOVED: "Removed before its start",
}


def events_of_site(session: Session, site_id: str) -> list[VirtualControlEventRow]:
    """All events of a site, by their starts."""
    row = VirtualControlEventRow
    return list(session.scalars(select(row).where(row.site_id == site_id).order_by(row.start_at)))


def end_of(row: VirtualControlEventRow) -> datetime:
    """When the batteries cease to obey."""
    return row.end_at if row.ended_at is None else row.ended_at


def commands_of(events: Iterable[VirtualControlEventRow], battery_id: str) -> tuple[BatteryCommand, ...]:
    """The commands that one battery obeys."""
    return tuple(
        BatteryCommand(
            event.start_at.timestamp(),
            end_of(event).timestamp(),
            None if event.kw is None else event.kw * event.shares[battery_id],
            event.mode,
            event.limit_percent,
        )
        for event in events
        if battery_id in event.shares and event.start_at < end_of(event)
    )


def event_of(row: VirtualControlEventRow, now: datetime) -> Event:
    """The event as it is at a time."""
    state = _state(row, now)
    end = row.end_at if state is EventState.REMOVED else end_of(row)
    return Event(row.id, row.start_at, end, row.mode, row.kw, row.limit_percent, state, TEXTS[state])


def _state(row: VirtualControlEventRow, now: datetime) -> EventState:
    if end_of(row) <= row.start_at:
        return EventState.REMOVED
    if now < row.start_at:
        return EventState.SCHEDULED
    return EventState.RUNNING if now < end_of(row) else EventState.ENDED


def touching(
    session: Session, client_id: str, site_id: str, start: datetime, end: datetime
) -> list[VirtualControlEventRow]:
    """The events of a site that touch a time, also those that were removed. Raises NothingHere."""
    _require_site(session, client_id, site_id)
    row = VirtualControlEventRow
    query = select(row).where(row.site_id == site_id, row.start_at < end, row.end_at > start)
    return list(session.scalars(query.order_by(row.start_at)))


def add_event(
    session: Session, client_id: str, site_id: str, planned: PlannedEvent, now: datetime
) -> VirtualControlEventRow:
    """Makes an event, whose power is at most the rated power. Raises CommandRefused or NothingHere."""
    _require_site(session, client_id, site_id)
    start = max(planned.start, now)
    if planned.end <= start:
        raise CommandRefused(why="its end is past")
    batteries = _batteries(session, site_id)
    if not batteries:
        raise CommandRefused(why="the site has no battery")
    others = touching(session, client_id, site_id, start, planned.end)
    if any(other.start_at < planned.end and end_of(other) > max(start, other.start_at) for other in others):
        raise CommandRefused(why="another event is scheduled or in progress at that time")
    row = VirtualControlEventRow(
        id=new_id(),
        client_id=client_id,
        site_id=site_id,
        start_at=start,
        end_at=planned.end,
        mode=planned.mode,
        kw=_capped(planned.kw, batteries),
        limit_percent=planned.limit_percent,
        shares=_shares(batteries),
    )
    session.add(row)
    session.flush()
    _delete_oldest(session, site_id)
    return row


def end_event(session: Session, client_id: str, site_id: str, id: str, now: datetime) -> VirtualControlEventRow:
    """Ends an event that is in progress, or removes one that is scheduled. Raises CommandRefused or NothingHere."""
    row = VirtualControlEventRow
    event = session.scalars(
        select(row).where(row.id == id, row.site_id == site_id, row.client_id == client_id)
    ).one_or_none()
    if event is None:
        raise NothingHere
    if _state(event, now) not in (EventState.SCHEDULED, EventState.RUNNING):
        raise CommandRefused(why="only an event that is scheduled or in progress can be ended")
    event.ended_at = now
    return event


def _require_site(session: Session, client_id: str, site_id: str) -> None:
    row = VirtualSiteRow
    if session.scalars(select(row.id).where(row.client_id == client_id, row.id == site_id)).first() is None:
        raise NothingHere


def _batteries(session: Session, site_id: str) -> Sequence[VirtualDeviceRow]:
    row = VirtualDeviceRow
    return session.scalars(select(row).where(row.site_id == site_id, row.kind == BATTERY)).all()


def _shares(batteries: Sequence[VirtualDeviceRow]) -> dict[str, float]:
    """By battery, its share of the power: that of its nameplate, which its rated power follows."""
    nameplates_kwh = {battery.id: battery.nameplate_kwh or 0.0 for battery in batteries}
    total_kwh = sum(nameplates_kwh.values())
    return {id: nameplate_kwh / total_kwh for id, nameplate_kwh in nameplates_kwh.items()}


def _capped(kw: float | None, batteries: Sequence[VirtualDeviceRow]) -> float | None:
    if kw is None:
        return None
    rated_kw = RATED_C * sum(battery.nameplate_kwh or 0.0 for battery in batteries)
    return max(-rated_kw, min(rated_kw, kw))


def _delete_oldest(session: Session, site_id: str) -> None:
    row = VirtualControlEventRow
    newest_first = select(row.start_at).where(row.site_id == site_id).order_by(row.start_at.desc())
    start = session.scalar(newest_first.offset(MAX_EVENTS).limit(1))
    if start is not None:
        session.execute(delete(row).where(row.site_id == site_id, row.start_at <= start))
