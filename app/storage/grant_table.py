"""Tables of grants, which are consents that owners of devices have given, and of links to renew them.

A grant is a row of `vendor_credentials` as well, which holds its secrets and to which its tokens belong.
"""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.storage.column_types import Instant
from app.storage.credential_tables import VendorCredentialRow
from app.storage.database import Base


class GrantRow(Base):
    """What an owner has granted to a client. Its tokens are in `vendor_tokens`, under the same id."""

    __tablename__ = "grants"
    __table_args__ = (
        Index("grants_of_client", "client_id", "id"),
        Index("grants_by_credentials", "credentials_id"),
        Index("grants_by_account", "client_id", "account_hash"),
    )

    id: Mapped[str] = mapped_column(Text, ForeignKey("vendor_credentials.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    # The stored credentials whose application the owner has agreed to; NULL if its id and secret came inline, and are
    # then among the grant's own secrets.
    credentials_id: Mapped[str | None] = mapped_column(Text, ForeignKey("vendor_credentials.id"))
    status: Mapped[str] = mapped_column(Text)  # app.credentials.grants.Status
    region: Mapped[str | None] = mapped_column(Text)  # name of the vendor's region in which the owner's account is
    # Keyed hash of the owner's account at the vendor, with the id of the application if that came inline.
    account_hash: Mapped[str | None] = mapped_column(Text)
    refresh_seconds: Mapped[float | None] = mapped_column(Float(53))  # life of a refresh token; NULL if not stated
    refresh_until: Mapped[float | None] = mapped_column(Float(53))  # epoch seconds: end of the present refresh token
    poll_at: Mapped[float | None] = mapped_column(Float(53))  # epoch seconds: when the vendor may be asked for it again
    # Epoch seconds: when a consent by e-mail that the owner has not given ends, or has ended. NULL for other grants.
    ends_at: Mapped[float | None] = mapped_column(Float(53))
    consented_at: Mapped[datetime | None] = mapped_column(Instant)

    stored: Mapped[VendorCredentialRow] = relationship(foreign_keys=[id], lazy="joined", innerjoin=True, viewonly=True)


class ConsentLinkRow(Base):
    """A link with which the owner of a grant gives consent again, once."""

    __tablename__ = "consent_links"
    __table_args__ = (Index("consent_links_of_grant", "grant_id"),)

    token_hash: Mapped[str] = mapped_column(Text, primary_key=True)  # SHA-256, hexadecimal
    grant_id: Mapped[str] = mapped_column(Text, ForeignKey("grants.id", ondelete="CASCADE"))
    expires_at: Mapped[float] = mapped_column(Float(53))  # epoch seconds
    used_at: Mapped[float | None] = mapped_column(Float(53))
