"""Transactions of stored credentials and grants: with all keys, and the changes of one client in turn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.auth.client_lock import in_turn
from app.credentials.key_check import KeyCheck
from app.storage.database import Database

T = TypeVar("T")

# Longer than READ_SECONDS: without this answer the request fails, whereas a list does without its look-ups.
ANSWER_SECONDS = 10.0


class Changed(Protocol):
    """Notes that the credentials of a client have changed."""

    def __call__(self, client_id: str, *, is_confirmed: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Transactions:
    """Changes of one client take turns, in all processes: hence limits are exact, and no change is lost. Each
    transaction raises a 503 Problem without a key, or while there are secrets that no key opens.

    changed: called after each change with the client's id, and whether the database has confirmed the change.
    """

    database: Database
    key_check: KeyCheck
    changed: Changed

    def read(self, work: Callable[[Session], T]) -> T:
        """The result of `work`."""
        return self.database.run(self._with_keys(work), ANSWER_SECONDS)

    def change(self, client_id: str, change: Callable[[Session], T]) -> T:
        """The result of a change, once it is the client's turn."""
        try:
            # The turn comes first: SQLite refuses a transaction that reads before it writes if another wrote meanwhile.
            result = self.database.run(in_turn(client_id, self._with_keys(change)), ANSWER_SECONDS)
        except SQLAlchemyError:
            # It may still have been made.
            self.changed(client_id, is_confirmed=False)
            raise
        self.changed(client_id, is_confirmed=True)
        return result

    def _with_keys(self, work: Callable[[Session], T]) -> Callable[[Session], T]:
        def checked(session: Session) -> T:
            self.key_check.require(session)
            return work(session)

        return checked
