"""Table of codes for one sign-in to the fleet view each."""

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import Base


class SignInCodeRow(Base):
    """A code that was not used yet. It is kept as a hash only."""

    __tablename__ = "sign_in_codes"

    code_sha256: Mapped[str] = mapped_column(Text, primary_key=True)  # hexadecimal
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    expires_at: Mapped[int] = mapped_column(BigInteger)  # epoch seconds
