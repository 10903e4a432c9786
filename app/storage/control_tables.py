"""Tables of battery control: orders, the vendor's events that carry them out, each write, and each read-back.

An order is one interval of a plan. Its rows are written before the first call that they describe.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.storage.column_types import Instant
from app.storage.database import Base


class ControlEventRow(Base):
    """An event that carries out an order, or a part of it, in the vendor's terms."""

    __tablename__ = "control_events"
    __table_args__ = (Index("control_events_of_order", "order_id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    order_id: Mapped[str] = mapped_column(Text, ForeignKey("control_orders.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    start_at: Mapped[datetime] = mapped_column(Instant)
    end_at: Mapped[datetime] = mapped_column(Instant)
    mode: Mapped[str] = mapped_column(Text)
    kw: Mapped[float | None] = mapped_column(Float(53))  # positive discharges
    limit_percent: Mapped[float | None] = mapped_column(Float(53))
    state: Mapped[str] = mapped_column(Text)  # app.control.states.EventStep
    vendor_id: Mapped[str | None] = mapped_column(Text)  # NULL until the vendor has named it
    accepted_kw: Mapped[float | None] = mapped_column(Float(53))  # to which the vendor has capped it
    text: Mapped[str] = mapped_column(Text)  # the vendor's words
    sent_at: Mapped[datetime | None] = mapped_column(Instant)  # begin of the last call that was to make or end it


class ControlWriteRow(Base):
    """A call that changes something at the vendor. Without `answered_at` no answer has come, or not yet."""

    __tablename__ = "control_writes"
    __table_args__ = (
        Index("control_writes_of_order", "order_id"),
        Index("control_writes_of_site", "site_id", "sent_at"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    order_id: Mapped[str] = mapped_column(Text, ForeignKey("control_orders.id", ondelete="CASCADE"))
    site_id: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)  # "add" or "end"
    event: Mapped[dict[str, Any]] = mapped_column(JSON)  # what is to be made or ended
    sent_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(Text)  # "accepted", "refused", "not sent" or "uncertain"
    answer: Mapped[str] = mapped_column(Text)  # the vendor's words, or this server's on the failure


class ControlReadingRow(Base):
    """A read-back: the vendor's state of the order's events, and the batteries' power and charge."""

    __tablename__ = "control_readings"
    __table_args__ = (Index("control_readings_of_order", "order_id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    order_id: Mapped[str] = mapped_column(Text, ForeignKey("control_orders.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(Instant)
    events: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # as the vendor shows them
    measured_at: Mapped[datetime | None] = mapped_column(Instant)  # of the power, on the vendor's clock
    kw: Mapped[float | None] = mapped_column(Float(53))  # of all batteries; positive discharges
    soc_percent: Mapped[float | None] = mapped_column(Float(53))


class ControlOrderRow(Base):
    """An interval of a plan: what was asked, by whom, and how far it is."""

    __tablename__ = "control_orders"
    __table_args__ = (
        Index("control_orders_of_client", "client_id", "site_id", "start_at"),
        Index("control_orders_of_site", "site_id", "end_at"),
        Index("control_orders_by_credentials", "credentials_id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    plan_id: Mapped[str] = mapped_column(Text)  # the same for all orders of one request
    site_id: Mapped[str] = mapped_column(Text)
    vendor: Mapped[str] = mapped_column(Text)
    site_key: Mapped[list[str]] = mapped_column(JSON)  # by which the vendor knows the site
    # The stored credentials or the grant; NULL if the credential came in a header. No foreign key: the receipt stays.
    credentials_id: Mapped[str | None] = mapped_column(Text)
    program: Mapped[str | None] = mapped_column(Text)
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)  # the interval as it was sent
    command: Mapped[str] = mapped_column(Text)
    start_at: Mapped[datetime] = mapped_column(Instant)  # not before created_at
    end_at: Mapped[datetime] = mapped_column(Instant)
    kw: Mapped[float | None] = mapped_column(Float(53))  # not signed
    limit_percent: Mapped[float | None] = mapped_column(Float(53))
    priority: Mapped[str | None] = mapped_column(Text)
    allow_export: Mapped[bool | None] = mapped_column(Boolean)
    rating_kw: Mapped[float | None] = mapped_column(Float(53))  # of all batteries of the site; NULL if not known
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # the site's state before the first write
    state: Mapped[str] = mapped_column(Text)  # app.control.states.State
    # The final state that it gets once its events are ended at the vendor; NULL while it is to be carried out.
    ends_as: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)  # the vendor's words, or this server's on a failure
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # rule and numbers
    is_listed: Mapped[bool] = mapped_column(Boolean)  # whether it is in the site's present list of intervals
    created_at: Mapped[datetime] = mapped_column(Instant)
    reported_at: Mapped[datetime] = mapped_column(Instant)  # when the state was last looked at or changed
    closed_at: Mapped[datetime | None] = mapped_column(Instant)  # when it came into a final state

    events: Mapped[list[ControlEventRow]] = relationship(
        order_by=ControlEventRow.position, cascade="all, delete-orphan", passive_deletes=True, lazy="selectin"
    )
    writes: Mapped[list[ControlWriteRow]] = relationship(
        order_by=ControlWriteRow.sent_at, cascade="all", passive_deletes=True, lazy="raise_on_sql"
    )
    readings: Mapped[list[ControlReadingRow]] = relationship(
        order_by=ControlReadingRow.at, cascade="all", passive_deletes=True, lazy="raise_on_sql"
    )
