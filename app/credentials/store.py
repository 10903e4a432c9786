"""The stored credentials of each client, in the database."""

import re
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.auth.client_lock import in_turn
from app.credentials.cipher import CREDENTIALS, Cipher, Owner, Sealed, Unreadable
from app.credentials.key_check import KeyCheck
from app.credentials.rules import NewCredentials, Rules
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.database import Database
from app.web.problems import Problem

T = TypeVar("T")

MAX_CREDENTIALS = 200
ID_ALPHABET = string.digits + string.ascii_lowercase
ID = re.compile("cred-[0-9a-z]{16}")
# Longer than READ_SECONDS: without this answer the request fails, whereas a list does without its look-ups.
ANSWER_SECONDS = 10.0


def owner_of(row: VendorCredentialRow, kind: str = CREDENTIALS) -> Owner:
    """The owner that is bound into the ciphertext of a row, or of its token."""
    return Owner(kind, row.client_id, row.id, row.vendor, row.type)


def sealed_in(row: VendorCredentialRow) -> Sealed:
    """The ciphertext of a row."""
    return Sealed(row.key_id, row.ciphertext)


class Changed(Protocol):
    """Notes that the credentials of a client have changed."""

    def __call__(self, client_id: str, *, is_confirmed: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of a list, combined with AND; both compare exactly."""

    vendor: str | None = None
    name: str | None = None


class CredentialStore:
    """Reads and changes stored credentials. Every method sees those of one client only.

    Changes of one client take turns, in all processes: hence the limit is exact, and no change is lost. Every method
    raises a 503 Problem without a key, or while there are stored credentials that no key opens.

    changed: called after each change with the client's id, and whether the database has confirmed the change.
    """

    def __init__(self, database: Database, cipher: Cipher, rules: Rules, key_check: KeyCheck, changed: Changed) -> None:
        self._database, self._cipher, self._rules = database, cipher, rules
        self._key_check, self._changed = key_check, changed

    def rows_after(self, client_id: str, filters: Filters, after: str, count: int) -> list[VendorCredentialRow]:
        """The first rows whose ids follow `after`."""
        query = _of_client(client_id).where(VendorCredentialRow.id > after)
        for column, value in ((VendorCredentialRow.vendor, filters.vendor), (VendorCredentialRow.name, filters.name)):
            if value is not None:
                query = query.where(column == value)
        query = query.order_by(VendorCredentialRow.id).limit(count)
        return self._run(lambda session: list(session.scalars(query)))

    def find(self, client_id: str, id: str) -> VendorCredentialRow | None:
        """The row; None if the client has none with this id."""
        return self._run(lambda session: session.scalars(_one(client_id, id)).first())

    def secrets(self, row: VendorCredentialRow) -> dict[str, str]:
        """The secret members of a row, by their public names. Raises a 503 Problem if they are unreadable."""
        try:
            return self._cipher.open(owner_of(row), sealed_in(row))
        except Unreadable as failure:
            raise failure.problem from failure

    def create(self, client_id: str, name: str | None, posted: Mapping[str, Any]) -> VendorCredentialRow:
        """Stores credentials. Raises a Problem: 400 for a wrong member, 409 at the limit."""
        new = self._rules.check(posted)

        def create(session: Session) -> VendorCredentialRow:
            if _count(session, _of_client(client_id)) >= MAX_CREDENTIALS:
                raise _limit_reached()
            row = VendorCredentialRow(id=_new_id(), client_id=client_id, vendor=new.vendor, type=new.type)
            row.created_at = datetime.now(UTC)
            row.name = name or _default_name(session, row)
            self._seal(row, new)
            session.add(row)
            return row

        return self._change(client_id, create)

    def change(self, client_id: str, id: str, patch: Mapping[str, Any]) -> VendorCredentialRow | None:
        """Merges a patch with the members `name` and `credentials`; None if the client has no such id.

        A name of None becomes the default one. Raises a Problem: 400 for a wrong member, 503 for unreadable secrets.
        """

        def change(session: Session) -> VendorCredentialRow | None:
            row = session.scalars(_one(client_id, id)).first()
            if row is not None:
                self._merge(session, row, patch.get("credentials", {}))
                row.name = patch.get("name", row.name) or _default_name(session, row)
            return row

        return self._change(client_id, change)

    def delete(self, client_id: str, id: str) -> bool:
        """Deletes credentials with their token; False if the client has none with this id."""
        statement = delete(VendorCredentialRow).where(*_is(client_id, id))
        return self._change(client_id, lambda session: session.connection().execute(statement).rowcount > 0)

    def _merge(self, session: Session, row: VendorCredentialRow, patch: Mapping[str, Any]) -> None:
        if not patch:
            return
        stored = self.secrets(row)
        new = self._rules.merge(row.vendor, row.type, stored, patch)
        if new.secrets != stored:
            self._seal(row, new)
            session.execute(delete(VendorTokenRow).where(VendorTokenRow.id == row.id))

    def _seal(self, row: VendorCredentialRow, new: NewCredentials) -> None:
        sealed = self._cipher.seal(owner_of(row), new.secrets)
        row.key_id, row.ciphertext = sealed.key_id, sealed.ciphertext

    def _run(self, work: Callable[[Session], T]) -> T:
        return self._database.run(self._with_keys(work), ANSWER_SECONDS)

    def _with_keys(self, work: Callable[[Session], T]) -> Callable[[Session], T]:
        def checked(session: Session) -> T:
            self._key_check.require(session)
            return work(session)

        return checked

    def _change(self, client_id: str, change: Callable[[Session], T]) -> T:
        try:
            # The turn comes first: SQLite refuses a transaction that reads before it writes if another wrote meanwhile.
            result = self._database.run(in_turn(client_id, self._with_keys(change)), ANSWER_SECONDS)
        except SQLAlchemyError:
            # It may still have been made.
            self._changed(client_id, is_confirmed=False)
            raise
        self._changed(client_id, is_confirmed=True)
        return result


def possible_id(id: str) -> str:
    """The id, or an id of no row for any other text: Postgres refuses texts with NUL as query parameters."""
    return id if ID.fullmatch(id) else ""


def _new_id() -> str:
    return "cred-" + "".join(secrets.choice(ID_ALPHABET) for _ in range(16))


def _limit_reached() -> Problem:
    detail = f"A client may store {MAX_CREDENTIALS} credentials at most; delete some that you no longer need."
    return Problem(409, "credentials_limit_reached", detail, limit=MAX_CREDENTIALS)


def _default_name(session: Session, row: VendorCredentialRow) -> str:
    """The vendor and a number, by the time at which the client's credentials for this vendor were stored."""
    earlier = _of_client(row.client_id).where(
        VendorCredentialRow.vendor == row.vendor, VendorCredentialRow.created_at < row.created_at
    )
    return f"{row.vendor} {_count(session, earlier) + 1}"


def _count(session: Session, query: Select[VendorCredentialRow]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _of_client(client_id: str) -> Select[VendorCredentialRow]:
    return select(VendorCredentialRow).where(VendorCredentialRow.client_id == client_id)


def _is(client_id: str, id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return VendorCredentialRow.client_id == client_id, VendorCredentialRow.id == possible_id(id)


def _one(client_id: str, id: str) -> Select[VendorCredentialRow]:
    return select(VendorCredentialRow).where(*_is(client_id, id))
