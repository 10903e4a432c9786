"""Table of key pairs with which this service, as an application, is registered at vendors."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.column_types import Instant
from app.storage.database import Base


class VendorKeyRow(Base):
    """A vendor's key pair. The private key is encrypted, the public one is served to the vendor."""

    __tablename__ = "vendor_keys"

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # name of the vendor
    key_id: Mapped[str] = mapped_column(Text)  # of the key that encrypted the private key
    ciphertext: Mapped[str] = mapped_column(Text)
    public_key: Mapped[str] = mapped_column(Text)  # PEM
    created_at: Mapped[datetime] = mapped_column(Instant)
