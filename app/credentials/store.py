"""The stored credentials of each client, in the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session

from app.credentials.changes import Transactions
from app.credentials.cipher import Cipher, Unreadable
from app.credentials.rows import CREDENTIALS_ID, new_id, owner_of, possible_id, sealed_in
from app.credentials.rules import NewCredentials, Rules
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.grant_table import GrantRow
from app.web.problems import Problem

MAX_CREDENTIALS = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of a list, combined with AND; both compare exactly."""

    vendor: str | None = None
    name: str | None = None


class CredentialStore:
    """Reads and changes stored credentials. Every method sees those of one client only, and no grants."""

    def __init__(self, transactions: Transactions, cipher: Cipher, rules: Rules) -> None:
        self._transactions, self._cipher, self._rules = transactions, cipher, rules

    def rows_after(self, client_id: str, filters: Filters, after: str, count: int) -> list[VendorCredentialRow]:
        """The first rows whose ids follow `after`."""
        query = _of_client(client_id).where(VendorCredentialRow.id > after)
        for column, value in ((VendorCredentialRow.vendor, filters.vendor), (VendorCredentialRow.name, filters.name)):
            if value is not None:
                query = query.where(column == value)
        query = query.order_by(VendorCredentialRow.id).limit(count)
        return self._transactions.read(lambda session: list(session.scalars(query)))

    def find(self, client_id: str, id: str) -> VendorCredentialRow | None:
        """The row; None if the client has none with this id."""
        return self._transactions.read(lambda session: session.scalars(_one(client_id, id)).first())

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
            row = VendorCredentialRow(id=new_id(CREDENTIALS_ID), client_id=client_id, vendor=new.vendor, type=new.type)
            row.created_at = datetime.now(UTC)
            row.name = name or _default_name(session, row)
            self._seal(row, new)
            session.add(row)
            return row

        return self._transactions.change(client_id, create)

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

        return self._transactions.change(client_id, change)

    def delete(self, client_id: str, id: str, before: Callable[[Session], None]) -> bool:
        """Deletes credentials with their token; False if the client has none with this id. Raises a 409 Problem if
        grants need them. before: called first, in the same transaction."""
        statement = delete(VendorCredentialRow).where(*_is(client_id, id))
        of_grants = select(GrantRow.id).where(
            GrantRow.client_id == client_id, GrantRow.credentials_id == possible_id(id)
        )

        def delete_unused(session: Session) -> bool:
            if users := _count(session, of_grants):
                raise _in_use(users)
            before(session)
            return session.connection().execute(statement).rowcount > 0

        return self._transactions.change(client_id, delete_unused)

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


def _in_use(grants: int) -> Problem:
    detail = "Grants of owners were given to these credentials; delete those grants first: GET /grants lists them."
    return Problem(409, "credentials_in_use", detail, grants=grants)


def _limit_reached() -> Problem:
    detail = f"A client may store {MAX_CREDENTIALS} credentials at most; delete some that you no longer need."
    return Problem(409, "credentials_limit_reached", detail, limit=MAX_CREDENTIALS)


def _default_name(session: Session, row: VendorCredentialRow) -> str:
    """The vendor and a number, by the time at which the client's credentials for this vendor were stored."""
    earlier = _of_client(row.client_id).where(
        VendorCredentialRow.vendor == row.vendor, VendorCredentialRow.created_at < row.created_at
    )
    return f"{row.vendor} {_count(session, earlier) + 1}"


def _count(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _of_client(client_id: str) -> Select[VendorCredentialRow]:
    """Stored credentials, grants left out."""
    return select(VendorCredentialRow).where(VendorCredentialRow.client_id == client_id, ~VendorCredentialRow.is_grant)


def _is(client_id: str, id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return VendorCredentialRow.client_id == client_id, VendorCredentialRow.id == possible_id(id)


def _one(client_id: str, id: str) -> Select[VendorCredentialRow]:
    return select(VendorCredentialRow).where(*_is(client_id, id))
