"""Codes with which the demo's link signs in to the fleet view: each works once, and within minutes."""

import hashlib
import secrets
import time
from collections.abc import Callable

from sqlalchemy import delete

from app.storage.database import Database
from app.storage.sign_in_code_table import SignInCodeRow

LIFETIME = 300  # seconds


class SignInCodes:
    """The codes in the database, as hashes. `clock`: epoch seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def create(self, client_id: str) -> str:
        """A new code for a client that exists; codes that have expired are deleted."""
        code, now = secrets.token_urlsafe(24), int(self._clock())
        with self._database.session() as session:
            session.execute(delete(SignInCodeRow).where(SignInCodeRow.expires_at <= now))
            session.add(SignInCodeRow(code_sha256=_hash(code), client_id=client_id, expires_at=now + LIFETIME))
        return code

    def redeem(self, code: str) -> str | None:
        """The client of a code, which is used up by this; None if it is unknown, used or expired."""
        spent = (
            delete(SignInCodeRow)
            .where(SignInCodeRow.code_sha256 == _hash(code), SignInCodeRow.expires_at > int(self._clock()))
            .returning(SignInCodeRow.client_id)
        )
        with self._database.session() as session:
            return session.execute(spent).scalar_one_or_none()


def _hash(code: str) -> str:
    # One round of SHA-256 is enough for 192 random bits: there is nothing to guess.
    return hashlib.sha256(code.encode()).hexdigest()
