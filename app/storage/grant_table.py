"""Table of grants: consents that owners of devices have given.

A grant is a row of `vendor_credentials` as well, which holds its secrets and to which its tokens belong.
"""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.column_types import Instant
from app.storage.database import Base


class GrantRow(Base):
    """What an owner has granted to a client. Its tokens are in `vendor_tokens`, under the same id."""

    __tablename__ = "grants"
    __table_args__ = (Index("grants_of_client", "client_id", "id"), Index("grants_by_credentials", "credentials_id"))

    id: Mapped[str] = mapped_column(Text, ForeignKey("vendor_credentials.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    # The stored credentials whose application the owner has agreed to; NULL if its id and secret came inline, and are
    # then among the grant's own secrets.
    credentials_id: Mapped[str | None] = mapped_column(Text, ForeignKey("vendor_credentials.id"))
    status: Mapped[str] = mapped_column(Text)  # app.credentials.grants.Status
    region: Mapped[str | None] = mapped_column(Text)  # name of the vendor's region in which the owner's account is
    account_hash: Mapped[str | None] = mapped_column(Text)  # keyed hash of the owner's account at the vendor
    refresh_until: Mapped[float | None] = mapped_column(Float(53))  # epoch seconds: end of the refresh token
    polled_at: Mapped[float | None] = mapped_column(Float(53))  # epoch seconds: when the vendor was last asked for it
    consented_at: Mapped[datetime | None] = mapped_column(Instant)
