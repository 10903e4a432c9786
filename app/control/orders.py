"""The orders in the database, which are the truth about what was asked and sent."""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, selectinload

from app.auth.client_lock import in_turn
from app.control.plan import PlannedInterval
from app.control.states import AT_VENDOR, FINAL, EventStep, State, check
from app.storage.control_tables import ControlEventRow, ControlOrderRow, ControlReadingRow, ControlWriteRow
from app.storage.database import Database
from vendors.kit.control import PlannedEvent

T = TypeVar("T")

ANSWER_SECONDS = 10.0
BUDGET_PERIOD = timedelta(days=1)
ORDER_ID = "ordr-"
# The outcome of a write that did not reach the vendor.
NOT_SENT = "not sent"
# The text of an order whose event was given up.
NEVER_SEEN = "The vendor has accepted it and never shown it."


@dataclass(frozen=True)
class Subject:
    """The site of an order: its public id, its vendor, and the vendor's key."""

    client_id: str
    site_id: str
    vendor: str
    key: tuple[str, ...]


class OrderStore:
    """Reads and changes orders. Changes of one client take turns, in all processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, query: Callable[[Session], T]) -> T:
        """The result of a query."""
        return self._database.run(query, ANSWER_SECONDS)

    def change(self, client_id: str, change: Callable[[Session], T]) -> T:
        """The result of a change, once it is the client's turn."""
        return self._database.run(in_turn(client_id, change), ANSWER_SECONDS)

    def listed(self, client_id: str, site_id: str) -> list[ControlOrderRow]:
        """The orders of the site's present list, by their start."""
        query = of_site(client_id, site_id).where(ControlOrderRow.is_listed)
        return self.read(lambda session: list(session.scalars(query)))

    def exist(self, client_id: str, site_id: str) -> bool:
        """Whether the client has ever had an order of the site."""
        query = of_site(client_id, site_id).with_only_columns(ControlOrderRow.id).limit(1)
        return self.read(lambda session: session.scalars(query).first() is not None)

    def history(self, client_id: str, site_id: str, after: str, count: int) -> list[ControlOrderRow]:
        """The orders of a site with their writes and read-backs, the newest first. after: the place of the last one of
        the page before; "" for the first page."""
        query = of_site(client_id, site_id).order_by(None)
        query = query.order_by(ControlOrderRow.created_at.desc(), ControlOrderRow.id.desc()).limit(count)
        query = query.options(selectinload(ControlOrderRow.writes), selectinload(ControlOrderRow.readings))
        if after:
            at, id = datetime.fromisoformat(after.partition(" ")[0]), after.partition(" ")[2]
            is_older = ControlOrderRow.created_at < at
            query = query.where(is_older | ((ControlOrderRow.created_at == at) & (ControlOrderRow.id < id)))
        return self.read(lambda session: list(session.scalars(query)))

    def unfinished(self, subject: Subject, now: datetime) -> list[ControlOrderRow]:
        """The client's orders of a site about which the vendor may have to be asked."""
        query = unfinished(subject.client_id, subject.site_id, now)
        return self.read(lambda session: list(session.scalars(query)))

    def of_others(self, subject: Subject, now: datetime) -> list[ControlOrderRow]:
        """Orders of other clients that the site's vendor carries out, or is to carry out."""
        is_running = ControlOrderRow.is_listed & ControlOrderRow.state.not_in(FINAL)
        query = select(ControlOrderRow).where(
            ControlOrderRow.site_id == subject.site_id,
            ControlOrderRow.client_id != subject.client_id,
            ControlOrderRow.end_at > now,
            or_(is_running, ControlOrderRow.ends_as.is_not(None)),
        )
        return self.read(lambda session: list(session.scalars(query.order_by(ControlOrderRow.start_at))))

    def event_ids(self, site_id: str) -> set[str]:
        """The vendor's ids of all events that this service has made at a site, for whichever client."""
        query = select(ControlEventRow.vendor_id).join(ControlOrderRow)
        query = query.where(ControlOrderRow.site_id == site_id, ControlEventRow.vendor_id.is_not(None))
        return self.read(lambda session: {id for id in session.scalars(query) if id})

    def stray_ids(self, site_id: str) -> set[str]:
        """The vendor's ids of events of this service that no order ends any more: their order was given up, or they
        were shown only after it."""
        is_given_up = ControlOrderRow.is_listed.is_(False) & ControlOrderRow.ends_as.is_(None)
        was_never_seen = (ControlEventRow.state == EventStep.OVER) & (ControlOrderRow.text == NEVER_SEEN)
        query = select(ControlEventRow.vendor_id).join(ControlOrderRow)
        query = query.where(ControlOrderRow.site_id == site_id, ControlEventRow.vendor_id.is_not(None))
        query = query.where(or_(is_given_up & ControlEventRow.state.in_(AT_VENDOR), was_never_seen))
        return self.read(lambda session: {id for id in session.scalars(query) if id})

    def reading_counts(self, orders: Collection[str]) -> dict[str, int]:
        """The number of read-backs of each of these orders that has any."""
        query = select(ControlReadingRow.order_id, func.count()).where(ControlReadingRow.order_id.in_(orders))
        query = query.group_by(ControlReadingRow.order_id)
        return self.read(lambda session: {row[0]: row[1] for row in session.execute(query)}) if orders else {}

    def writes_since(self, site_id: str, since: datetime) -> list[datetime]:
        """The times of the writes at a site, of all clients, in their order. Writes that were not sent do not count."""
        was_sent = ControlWriteRow.outcome.is_(None) | (ControlWriteRow.outcome != NOT_SENT)
        query = select(ControlWriteRow.sent_at).where(
            ControlWriteRow.site_id == site_id, ControlWriteRow.sent_at > since, was_sent
        )
        return self.read(lambda session: list(session.scalars(query.order_by(ControlWriteRow.sent_at))))


def of_site(client_id: str, site_id: str) -> Select[ControlOrderRow]:
    """A client's orders of a site, by their start."""
    query = select(ControlOrderRow).where(ControlOrderRow.client_id == client_id, ControlOrderRow.site_id == site_id)
    return query.order_by(ControlOrderRow.start_at, ControlOrderRow.id)


def place_of(order: ControlOrderRow) -> str:
    """The place of an order in the history."""
    return f"{order.created_at.isoformat()} {order.id}"


def unfinished(client_id: str, site_id: str, now: datetime) -> Select[ControlOrderRow]:
    """Orders about which the vendor is asked or told something: not yet final, however long ago they ended; listed and
    not ended; or with events that are to be ended."""
    is_open = ControlOrderRow.state.not_in(FINAL)
    is_running = ControlOrderRow.is_listed & (ControlOrderRow.end_at > now)
    is_ending = ControlOrderRow.ends_as.is_not(None) & (ControlOrderRow.end_at > now)
    return of_site(client_id, site_id).where(or_(is_open, is_running, is_ending))


def new_order(
    subject: Subject,
    planned: PlannedInterval,
    *,
    plan_id: str,
    program: str | None,
    credentials_id: str | None,
    rating_kw: float | None,
    before: dict[str, Any] | None,
    now: datetime,
) -> ControlOrderRow:
    """An order that is to be added to a session, with its events."""
    interval = planned.interval
    order = ControlOrderRow(
        id=new_id(ORDER_ID),
        client_id=subject.client_id,
        plan_id=plan_id,
        site_id=subject.site_id,
        vendor=subject.vendor,
        site_key=list(subject.key),
        credentials_id=credentials_id,
        program=program,
        asked=dict(planned.asked),
        command=interval.command.value,
        start_at=planned.start,
        end_at=interval.end,
        kw=interval.kw,
        limit_percent=interval.limit_percent,
        priority=interval.priority.value if interval.priority else None,
        allow_export=interval.allow_export,
        rating_kw=rating_kw,
        before=before,
        state=State.SCHEDULED,
        text="",
        is_listed=True,
        created_at=now,
        reported_at=now,
    )
    order.events = new_events(planned.events)
    return order


def new_events(planned: Sequence[PlannedEvent], first: int = 0) -> list[ControlEventRow]:
    """Events that are to be sent."""
    return [
        ControlEventRow(
            id=new_id(""),
            position=position,
            start_at=event.start,
            end_at=event.end,
            mode=event.mode,
            kw=event.kw,
            limit_percent=event.limit_percent,
            state=EventStep.PLANNED,
            text="",
        )
        for position, event in enumerate(planned, first)
    ]


def new_id(prefix: str) -> str:
    """A random id."""
    return prefix + secrets.token_hex(8)


def move(order: ControlOrderRow, state: State, now: datetime, text: str | None = None) -> None:
    """Moves an order to a state that may follow its present one. text: the vendor's words, if there are new ones."""
    check(order.state, state)
    if text is not None:
        order.text = text
    order.reported_at = now
    if state in FINAL and order.state != state:
        order.closed_at = now
    order.state = state


def withdraw(order: ControlOrderRow, final: State, now: datetime) -> None:
    """Notes that an order's events are to be ended, and closes it if there are none at the vendor."""
    order.is_listed = False
    order.ends_as = final
    for event in order.events:
        if event.state == EventStep.PLANNED:
            event.state = EventStep.OVER
    close_if_ended(order, now)


def close_if_ended(order: ControlOrderRow, now: datetime) -> None:
    """Moves an order whose events are to be ended to its final state once none is left at the vendor. An order that was
    final before keeps its state."""
    is_left = any(event.state in AT_VENDOR and event.end_at > now for event in order.events)
    if order.ends_as is not None and not is_left:
        if order.state not in FINAL:
            move(order, State(order.ends_as), now)
        order.ends_as = None
