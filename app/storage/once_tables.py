"""Tables by which something happens once at a time: leases of sites, and answers to requests with an idempotency key.

Times are epoch seconds on the database's clock, which all processes and hosts share.
"""

from sqlalchemy import Float, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import Base


class ControlLeaseRow(Base):
    """The right to write to a site's batteries."""

    __tablename__ = "control_leases"

    site_id: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text)  # random
    purpose: Mapped[str] = mapped_column(Text)  # app.control.leases.Purpose
    expires_at: Mapped[float] = mapped_column(Float(53))


class IdempotencyKeyRow(Base):
    """A request that is made once, and its answer. Without `status` it is under way, until `leased_until` at most."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_by_expiry", "client_id", "expires_at"),)

    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"), primary_key=True)
    key_sha256: Mapped[str] = mapped_column(Text, primary_key=True)  # hexadecimal
    request_sha256: Mapped[str] = mapped_column(Text)  # of its method, path, query and body
    holder: Mapped[str] = mapped_column(Text)  # random
    leased_until: Mapped[float] = mapped_column(Float(53))
    expires_at: Mapped[float] = mapped_column(Float(53))
    status: Mapped[int | None] = mapped_column(Integer)
    content_type: Mapped[str | None] = mapped_column(Text)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
