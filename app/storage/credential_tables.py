"""Tables of stored vendor credentials and of the access tokens that are got with them. All secrets are encrypted."""

from datetime import datetime

from sqlalchemy import Boolean, Float, ForeignKey, Index, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.column_types import Instant
from app.storage.database import Base


class VendorCredentialRow(Base):
    """What opens a vendor for a client: credentials that it has stored, or a grant of an owner (`grants`)."""

    __tablename__ = "vendor_credentials"
    __table_args__ = (Index("vendor_credentials_of_client", "client_id", "id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # also in the API
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    name: Mapped[str] = mapped_column(Text)
    vendor: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    key_id: Mapped[str] = mapped_column(Text)  # of the key that encrypted the row
    ciphertext: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    is_grant: Mapped[bool] = mapped_column(Boolean, server_default=false())


class VendorTokenRow(Base):
    """The access token of stored credentials, and the lease of the process that renews it. Without a token, its columns
    are NULL; without a lease, those of the lease. Times are epoch seconds on the database's clock."""

    __tablename__ = "vendor_tokens"

    id: Mapped[str] = mapped_column(Text, ForeignKey("vendor_credentials.id", ondelete="CASCADE"), primary_key=True)
    key_id: Mapped[str | None] = mapped_column(Text)
    ciphertext: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[float | None] = mapped_column(Float(53))
    lease_holder: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[float | None] = mapped_column(Float(53))
