"""Turns of the changes of one client, in all processes: a change locks the client's row until its transaction ends."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app.auth.bearer import revoked
from app.storage.database import ClientRow

T = TypeVar("T")

# How long a change waits for another one of the same client. SQLite waits as long by its busy_timeout.
LOCK_SECONDS = 5


def lock_client(session: Session, client_id: str) -> None:
    """Makes other changes of the client wait for the end of this transaction. Raises a 401 Problem if it is revoked."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
    # Not SELECT ... FOR UPDATE: in SQLite only a write takes the lock.
    lock = update(ClientRow).where(ClientRow.id == client_id, ClientRow.revoked_at.is_(None))
    if session.connection().execute(lock.values(name=ClientRow.name)).rowcount == 0:
        raise revoked()


def in_turn(client_id: str, change: Callable[[Session], T]) -> Callable[[Session], T]:
    """The change as a transaction that first waits for the client's other changes."""

    def transaction(session: Session) -> T:
        lock_client(session, client_id)
        return change(session)

    return transaction
