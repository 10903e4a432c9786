"""Encryption of all stored secrets with the newest key, and the deletion of those whose key is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, update

from app.credentials.cipher import CREDENTIALS, TOKEN, VENDOR_KEY, Cipher, Sealed, Unreadable
from app.credentials.rows import owner_of
from app.credentials.vendor_keys import owner_of_key
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.database import Database
from app.storage.grant_table import GrantRow
from app.storage.vendor_key_table import VendorKeyRow

# Rows of one transaction: other writers of an SQLite file wait meanwhile.
BATCH = 100

Table = type[VendorCredentialRow] | type[VendorTokenRow] | type[VendorKeyRow]
TABLES: dict[str, Table] = {CREDENTIALS: VendorCredentialRow, TOKEN: VendorTokenRow, VENDOR_KEY: VendorKeyRow}


@dataclass(slots=True)
class Rotated:
    """The outcome of a batch: the number of encrypted rows, and the ids of rows that cannot be read."""

    table: str
    encrypted: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of rows of the batch."""
        return self.encrypted + len(self.unreadable)


class Rotation:
    """Runs while the service does. A run that was interrupted is continued by the next one."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher

    def outdated(self) -> int:
        """The number of secrets that another key than the first has encrypted."""
        with self._database.session() as session:
            counts = [
                session.scalar(select(func.count(table.id)).where(self._is_old(table))) or 0
                for table in TABLES.values()
            ]
        return sum(counts)

    def run(self) -> Iterator[Rotated]:
        """Encrypts the secrets batch by batch, each in a transaction."""
        for kind, table in TABLES.items():
            last_id = ""
            while rows := self._batch(table, last_id):
                yield self._encrypt(kind, table, rows)
                last_id = rows[-1][0].id

    def discard(self) -> dict[str, int]:
        """Deletes all secrets whose key is missing; the numbers by table."""
        deleted = {}
        applications = select(VendorCredentialRow.id).where(VendorCredentialRow.key_id.not_in(self._cipher.key_ids))
        grants = select(GrantRow.id).where(GrantRow.credentials_id.in_(applications))
        with self._database.session() as session:
            # Grants that no longer open anything, and that refer to what is deleted next.
            session.execute(delete(VendorCredentialRow).where(VendorCredentialRow.id.in_(grants)))
            for table in (VendorTokenRow, VendorCredentialRow, VendorKeyRow):
                statement = delete(table).where(table.key_id.not_in(self._cipher.key_ids))
                deleted[table.__tablename__] = session.connection().execute(statement).rowcount
        return deleted

    def _is_old(self, table: Table) -> Any:
        return table.key_id != self._cipher.key_ids[0]

    def _batch(self, table: Table, last_id: str) -> Sequence[Any]:
        """The next rows, each as its credential or itself, key id and ciphertext."""
        owned = VendorKeyRow if table is VendorKeyRow else VendorCredentialRow
        query = select(owned, table.key_id, table.ciphertext)
        if table is VendorTokenRow:
            query = query.join(VendorTokenRow, VendorTokenRow.id == VendorCredentialRow.id)
        query = query.where(self._is_old(table), table.id > last_id).order_by(table.id).limit(BATCH)
        with self._database.session() as session:
            return session.execute(query).all()

    def _encrypt(self, kind: str, table: Table, rows: Sequence[Any]) -> Rotated:
        rotated, updates = Rotated(table.__tablename__), []
        for row, key_id, ciphertext in rows:
            owner = owner_of_key(row) if kind == VENDOR_KEY else owner_of(row, kind)
            try:
                secrets = self._cipher.open(owner, Sealed(key_id, ciphertext))
            except Unreadable:
                rotated.unreadable.append(row.id)
                continue
            # Only over the ciphertext that was read: a change in the meantime has used the newest key.
            is_unchanged = (table.id == row.id, table.ciphertext == ciphertext)
            updates.append(update(table).where(*is_unchanged).values(**asdict(self._cipher.seal(owner, secrets))))
        with self._database.session() as session:
            for statement in updates:
                session.connection().execute(statement)
        rotated.encrypted = len(updates)
        return rotated
