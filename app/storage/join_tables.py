"""Tables of Join: sessions and flows that clients start, and the attempts of owners to give consent.

Random texts that open something are kept as SHA-256 only; secrets are encrypted, and deleted with their row.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.column_types import Instant
from app.storage.database import Base


class JoinSessionRow(Base):
    """A session: one consent that a client's own page asks an owner for."""

    __tablename__ = "join_sessions"
    __table_args__ = (
        Index("join_sessions_of_client", "client_id", "expires_at"),
        Index("join_sessions_by_expiry", "expires_at"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # hash of the session id
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    token_hash: Mapped[str] = mapped_column(Text)  # of the session token
    vendors: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # app.join.config.VendorConfig, without secrets
    stores: Mapped[bool] = mapped_column(Boolean)  # whether a grant is kept
    key_id: Mapped[str | None] = mapped_column(Text)  # of the secrets that came inline
    ciphertext: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[float] = mapped_column(Float(53))  # epoch seconds
    # Of the attempt that completes the session, or is about to: a session takes one consent.
    vendor: Mapped[str | None] = mapped_column(Text)
    result_key_id: Mapped[str | None] = mapped_column(Text)  # of the answer that is given out once
    result: Mapped[str | None] = mapped_column(Text)
    fetched_at: Mapped[float | None] = mapped_column(Float(53))


class JoinFlowRow(Base):
    """A flow: a link that any number of owners may open, made once and never changed."""

    __tablename__ = "join_flows"
    __table_args__ = (Index("join_flows_of_client", "client_id", "id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # also in the API
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    vendors: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    key_id: Mapped[str | None] = mapped_column(Text)
    ciphertext: Mapped[str | None] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)


class JoinAttemptRow(Base):
    """One attempt of an owner at one vendor, from the first page to the vendor's callback. It works once."""

    __tablename__ = "join_attempts"
    __table_args__ = (
        Index("join_attempts_by_expiry", "expires_at"),
        Index("join_attempts_of_session", "session_id"),
        Index("join_attempts_of_flow", "flow_id"),
        Index("join_attempts_of_grant", "grant_id"),
    )

    state_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    session_id: Mapped[str | None] = mapped_column(Text, ForeignKey("join_sessions.id", ondelete="CASCADE"))
    flow_id: Mapped[str | None] = mapped_column(Text, ForeignKey("join_flows.id", ondelete="CASCADE"))
    grant_id: Mapped[str | None] = mapped_column(Text)  # of the grant whose consent is renewed
    vendor: Mapped[str] = mapped_column(Text)
    browser_hash: Mapped[str] = mapped_column(Text)  # of the cookie
    company_state: Mapped[str | None] = mapped_column(Text)  # handed back to the flow's redirect URI
    key_id: Mapped[str | None] = mapped_column(Text)  # of the code verifier
    verifier: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[float] = mapped_column(Float(53))  # epoch seconds
    used_at: Mapped[float | None] = mapped_column(Float(53))
    mailed_at: Mapped[float | None] = mapped_column(Float(53))  # when the vendor was asked to write to an address


class JoinOriginRow(Base):
    """An origin whose pages may read the sessions of a client."""

    __tablename__ = "join_origins"

    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"), primary_key=True)
    origin: Mapped[str] = mapped_column(Text, primary_key=True)
