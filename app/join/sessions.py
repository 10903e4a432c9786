"""Sessions: one consent each, which a client's own page asks an owner for, within ten minutes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from app.auth.bearer import SESSION_TOKEN
from app.auth.client_lock import in_turn
from app.credentials.cipher import Cipher, Owner, Sealed
from app.join.config import Configs, limit_reached
from app.join.failures import ConsentFailure, Reason
from app.join.random_texts import hashed, is_text_of, random_text
from app.storage.database import Database
from app.storage.join_tables import JoinSessionRow
from app.web.problems import Problem

LIFETIME = 600.0  # seconds
MAX_OPEN = 1000
ANSWER_SECONDS = 10.0
# After the deadline of a request that completes a consent: for the database to keep it, and for the client to fetch it.
FETCH_SECONDS = 30.0
# The kind of the answer that a session gives out once.
RESULT = "join result"


@dataclass(frozen=True, slots=True)
class Started:
    """A new session: its id, and the token for the page's requests about it."""

    id: str
    token: str = field(repr=False)


class Sessions:
    """The sessions in the database. clock: epoch seconds."""

    def __init__(self, database: Database, cipher: Cipher, clock: Callable[[], float] = time.time) -> None:
        self._database, self._cipher, self._clock = database, cipher, clock

    def start(self, client_id: str, configs: Configs, *, stores: bool) -> Started:
        """A new session; those of all clients that have ended are deleted. Raises a 409 Problem at the limit.

        stores: whether the grant is kept; else the client gets its tokens.
        """
        started, now = Started(random_text(), SESSION_TOKEN + random_text()), self._clock()
        row = JoinSessionRow(
            id=hashed(started.id),
            client_id=client_id,
            token_hash=hashed(started.token),
            vendors=configs.as_json(),
            stores=stores,
            expires_at=now + LIFETIME,
            **configs.sealed(self._cipher, client_id, hashed(started.id)),
        )

        def insert(session: Session) -> None:
            _delete_ended(session, now)
            query = select(func.count()).where(JoinSessionRow.client_id == client_id, JoinSessionRow.expires_at > now)
            if (session.scalar(query) or 0) >= MAX_OPEN:
                detail = f"A client may have {MAX_OPEN} open sessions; each ends after ten minutes."
                raise limit_reached("join_sessions_limit_reached", detail, MAX_OPEN)
            session.add(row)

        self._database.run(in_turn(client_id, insert), ANSWER_SECONDS)
        return started

    def find(self, id: str) -> JoinSessionRow | None:
        """The session with this id; None if there is none, or no longer."""
        return self.by_row(hashed(id))

    def by_row(self, key: str) -> JoinSessionRow | None:
        """The session of a row. One that has ended is deleted, with its secrets."""
        row, now = self._database.get(JoinSessionRow, key), self._clock()
        if row is None or row.expires_at > now:
            return row
        self._database.run(lambda session: _delete_ended(session, now), ANSWER_SECONDS)
        return None

    def claim(self, row: JoinSessionRow, vendor: str, seconds: float) -> bool:
        """Takes the session for a consent, which takes so many seconds at most; False if another has taken it, or it
        has ended. It does not end before its consent is kept and can be fetched."""
        now = self._clock()
        free = (JoinSessionRow.vendor.is_(None), JoinSessionRow.expires_at > now)
        return self._change(row, *free, vendor=vendor, expires_at=max(row.expires_at, now + seconds + FETCH_SECONDS))

    def release(self, row: JoinSessionRow) -> None:
        """Lets another attempt take a session whose consent has come to nothing, until its first end."""
        self._change(row, JoinSessionRow.result.is_(None), vendor=None, expires_at=row.expires_at)

    def finish(self, row: JoinSessionRow, vendor: str, answer: Mapping[str, str]) -> None:
        """Keeps what `fetch` will give out. The client's secrets are deleted: the session is over. Raises
        ConsentFailure if there is no such session any more."""
        sealed = self._cipher.seal(_owner(row, vendor), answer)
        result = {"result": sealed.ciphertext, "result_key_id": sealed.key_id}
        if not self._change(row, key_id=None, ciphertext=None, **result):
            raise ConsentFailure(Reason.NOT_KEPT)

    def fetch(self, row: JoinSessionRow) -> dict[str, str]:
        """What was granted, once. Raises a 409 Problem before the owner has given consent, and afterwards."""
        # The mark comes first: of two requests at once one makes it, and only that one answers.
        marked = self._change(
            row,
            JoinSessionRow.result.is_not(None),
            JoinSessionRow.fetched_at.is_(None),
            fetched_at=self._clock(),
        )
        stored = self._database.get(JoinSessionRow, row.id)
        if stored is None or stored.vendor is None or stored.result is None or stored.result_key_id is None:
            was_fetched = stored is not None and stored.fetched_at is not None
            raise _given_out() if was_fetched else _pending()
        if not marked:
            raise _given_out()
        answer = self._cipher.open(_owner(row, stored.vendor), Sealed(stored.result_key_id, stored.result))
        self._change(row, result=None, result_key_id=None)
        return {"vendor": stored.vendor, **answer}

    def _change(self, row: JoinSessionRow, *conditions: ColumnElement[bool], **values: Any) -> bool:
        """Whether the row meets the conditions, and has been changed."""
        statement = update(JoinSessionRow).where(JoinSessionRow.id == row.id, *conditions).values(**values)
        return self._database.run(lambda session: session.connection().execute(statement).rowcount == 1, ANSWER_SECONDS)


def accepts(row: JoinSessionRow, token: str) -> bool:
    """Whether this is the session's token."""
    return is_text_of(token, row.token_hash)


def sealed_in(row: JoinSessionRow) -> Sealed | None:
    """The inline secrets of a session."""
    return Sealed(row.key_id, row.ciphertext) if row.key_id and row.ciphertext else None


def _owner(row: JoinSessionRow, vendor: str) -> Owner:
    return Owner(RESULT, row.client_id, row.id, vendor, "")


def _delete_ended(session: Session, now: float) -> None:
    """Deletes the sessions of all clients that have ended, and by the foreign key their attempts."""
    # Those that another process is deleting are left to it: waiting for each other, both could fail.
    ended = select(JoinSessionRow.id).where(JoinSessionRow.expires_at <= now).with_for_update(skip_locked=True)
    session.execute(delete(JoinSessionRow).where(JoinSessionRow.id.in_(ended)))


def _pending() -> Problem:
    return Problem(409, "join_pending", "The owner has not given consent yet.")


def _given_out() -> Problem:
    return Problem(
        409, "join_token_fetched", "What was granted in this session has been given out, which is done once."
    )
