"""Links with which the owner of a grant gives consent again. A link is shown once, when it is made."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from app.credentials.changes import Transactions
from app.credentials.tokens import NOW
from app.storage.grant_table import ConsentLinkRow, GrantRow

LIFETIME = timedelta(days=7)
TOKEN_BYTES = 32


class LinkEnded(Exception):
    """A link is not valid, or was used."""


@dataclass(frozen=True, slots=True)
class ConsentLink:
    """The token of a link, of which only a hash is kept, and its end."""

    token: str = field(repr=False)
    expires_at: datetime


class ConsentLinks:
    """At most one link of a grant is valid: a new one ends the one before."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def make(self, grant: GrantRow) -> ConsentLink:
        """A new link."""
        link = ConsentLink(secrets.token_urlsafe(TOKEN_BYTES), datetime.now(UTC) + LIFETIME)
        expires_at = NOW + LIFETIME.total_seconds()
        row = ConsentLinkRow(token_hash=_hash(link.token), grant_id=grant.id, expires_at=expires_at)

        def make(session: Session) -> None:
            session.execute(delete(ConsentLinkRow).where(ConsentLinkRow.grant_id == grant.id))
            session.add(row)

        self._transactions.change(grant.client_id, make)
        return link

    def find(self, token: str) -> GrantRow | None:
        """The grant of a link that is valid, for the page that asks; None for any other text."""
        query = select(GrantRow).join(ConsentLinkRow, ConsentLinkRow.grant_id == GrantRow.id).where(*_is_valid(token))
        return self._transactions.read(lambda session: session.scalars(query).first())


def use(session: Session, token: str) -> None:
    """Uses a link, in the transaction that keeps what it has brought. Raises LinkEnded."""
    mark = update(ConsentLinkRow).where(*_is_valid(token)).values(used_at=NOW)
    if session.connection().execute(mark).rowcount != 1:
        raise LinkEnded


def _is_valid(token: str) -> tuple[ColumnElement[bool], ...]:
    is_unused = ConsentLinkRow.used_at.is_(None)
    return ConsentLinkRow.token_hash == _hash(token), is_unused, ConsentLinkRow.expires_at > NOW


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
