"""Attempts of owners to give consent: each is bound to a session or flow, a vendor and a browser, and works once."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.auth.client_lock import in_turn
from app.credentials.cipher import Cipher, Owner, Sealed
from app.join.random_texts import hashed, random_text
from app.join.source import Source, SourceKind
from app.storage.database import Database
from app.storage.join_tables import JoinAttemptRow
from app.storage.retention import COUNTED_SECONDS

LIFETIME = 600.0  # seconds
# Attempts within an hour: of an owner's session, and of all owners of a flow.
MAX_ATTEMPTS = {SourceKind.SESSION: 30, SourceKind.FLOW: 5000, SourceKind.GRANT: 30}
# Addresses to which a vendor is asked to write: in a session, and in an hour of a flow.
MAX_MAILS = {SourceKind.SESSION: 3, SourceKind.FLOW: 20, SourceKind.GRANT: 3}
VERIFIER_BYTES = 48
# The kind of an attempt's secrets, and their names.
ATTEMPT = "join attempt"
VERIFIER, LINK = "verifier", "link"
ANSWER_SECONDS = 10.0


class TooMany(Exception):
    """There were too many attempts, or too many addresses."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A new attempt. state: for the vendor's callback, or a form. browser: for the cookie."""

    state: str = field(repr=False)
    browser: str = field(repr=False)
    verifier: str = field(repr=False)


class Attempts:
    """The attempts in the database. clock: epoch seconds."""

    def __init__(self, database: Database, cipher: Cipher, clock: Callable[[], float] = time.time) -> None:
        self._database, self._cipher, self._clock = database, cipher, clock

    def begin(self, source: Source, vendor: str, company_state: str | None) -> Begun:
        """A new attempt; rows that are over are deleted. Raises TooMany, or Unreadable without a key."""
        begun, now = Begun(random_text(), random_text(), secrets.token_urlsafe(VERIFIER_BYTES)), self._clock()
        state_hash = hashed(begun.state)
        sealed = self._cipher.seal(
            _owner(source.client_id, state_hash, vendor), {VERIFIER: begun.verifier, LINK: source.link}
        )
        row = JoinAttemptRow(
            state_hash=state_hash,
            client_id=source.client_id,
            vendor=vendor,
            browser_hash=hashed(begun.browser),
            company_state=company_state,
            key_id=sealed.key_id,
            verifier=sealed.ciphertext,
            expires_at=now + LIFETIME,
            **{source.kind.column: source.row},
        )

        def insert(session: Session) -> None:
            session.execute(delete(JoinAttemptRow).where(JoinAttemptRow.expires_at <= now - COUNTED_SECONDS))
            if (session.scalar(select(func.count()).where(_of(source))) or 0) >= MAX_ATTEMPTS[source.kind]:
                raise TooMany
            session.add(row)

        self._database.run(insert, ANSWER_SECONDS)
        return begun

    def look(self, vendor: str, state: str, browser: str) -> JoinAttemptRow | None:
        """The attempt that this browser has begun at this vendor, and that is not used up; else None."""
        row = self._database.get(JoinAttemptRow, hashed(state))
        is_open = row is not None and row.used_at is None and row.expires_at > self._clock()
        if row is None or not is_open or row.vendor != vendor or row.browser_hash != hashed(browser):
            return None
        return row

    def use(self, row: JoinAttemptRow) -> bool:
        """Uses the attempt up; False if another request has done so."""
        now = self._clock()
        unused = update(JoinAttemptRow).where(
            JoinAttemptRow.state_hash == row.state_hash,
            JoinAttemptRow.used_at.is_(None),
            JoinAttemptRow.expires_at > now,
        )
        statement = unused.values(used_at=now)
        return self._database.run(lambda session: session.connection().execute(statement).rowcount == 1, ANSWER_SECONDS)

    def secrets(self, row: JoinAttemptRow) -> dict[str, str]:
        """The code verifier of an attempt, and the link with which it was begun. Raises Unreadable."""
        sealed = Sealed(row.key_id or "", row.verifier or "")
        return self._cipher.open(_owner(row.client_id, row.state_hash, row.vendor), sealed)

    def count_mail(self, source: Source, row: JoinAttemptRow) -> None:
        """Counts a mail to an address. Raises TooMany beyond the limit of the session or flow."""
        now = self._clock()
        mark = update(JoinAttemptRow).where(JoinAttemptRow.state_hash == row.state_hash).values(mailed_at=now)
        query = select(func.count()).where(_of(source), JoinAttemptRow.mailed_at > now - COUNTED_SECONDS)

        def count(session: Session) -> None:
            session.execute(mark)
            if (session.scalar(query) or 0) > MAX_MAILS[source.kind]:
                raise TooMany

        # In turn, so that each count sees those before it.
        self._database.run(in_turn(source.client_id, count), ANSWER_SECONDS)


def _of(source: Source) -> ColumnElement[bool]:
    column: InstrumentedAttribute[str | None] = getattr(JoinAttemptRow, source.kind.column)
    return column == source.row


def _owner(client_id: str, state_hash: str, vendor: str) -> Owner:
    return Owner(ATTEMPT, client_id, state_hash, vendor, "")
