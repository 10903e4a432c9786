"""Stored credentials as the plugins read them: the counterpart of a request's vendor headers."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from cachetools import LRUCache
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.credentials.cipher import Cipher, Unreadable
from app.credentials.rules import Rules
from app.credentials.store import owner_of, possible_id, sealed_in
from app.storage.credential_tables import VendorCredentialRow
from app.storage.database import Database
from vendors.kit import Credential
from vendors.kit.credentials import StoredRow

# A change by another process is seen after this time, a change by this process at once.
CACHE_SECONDS = 4.0
# Credentials of all clients together; a client counts as one more.
MAX_CACHED = 20_000
NEVER_READ = float("-inf"), None


@dataclass(frozen=True, slots=True)
class Opened:
    """The stored credentials of one client by vendor, and those that cannot be read, with the reason."""

    usable: Mapping[str, Sequence[Credential]]
    refused: Mapping[str, Sequence[tuple[StoredRow, Unreadable]]]


class VariantUnknown(Unreadable):
    """No plugin declares the variant any longer."""

    code = "credentials_type_unknown"
    says = "This server has no plugin for the type of the stored credentials."
    advice = "Delete these credentials, or tell the operator of this server to install the plugin again."


class MemberMissing(Unreadable):
    """The plugin has come to need a member that the stored credentials lack."""

    code = "credentials_incomplete"
    says = "The stored credentials lack a member that this version of the server needs."
    advice = "Add the member with PATCH /vendor-credentials/{id}."


class StoredCredentials:
    """Opens what clients have stored. Thread-safe.

    A client's credentials are cached for CACHE_SECONDS, and used for longer only while the database does not answer. To
    read and decrypt them for each request would take 0.7 ms of CPU, and 12 ms with 200 of them (November 2026).
    """

    def __init__(
        self, database: Database, cipher: Cipher, rules: Rules, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database, self._cipher, self._rules, self._clock = database, cipher, rules, clock
        self._cached: LRUCache[str, tuple[float, Opened]] = LRUCache(MAX_CACHED, getsizeof=_size)
        self._changes = 0
        self._lock = threading.Lock()

    def of(self, client_id: str) -> Mapping[str, Sequence[Credential]]:
        """The client's credentials by vendor, in the order in which they were stored. Raises SQLAlchemyError."""
        return self._opened(client_id).usable

    def refused(self, client_id: str) -> Mapping[str, Sequence[tuple[StoredRow, Unreadable]]]:
        """The client's credentials that cannot be read, by vendor, each with the reason. Raises SQLAlchemyError."""
        return self._opened(client_id).refused

    def find(self, id: str, client_id: str | None = None) -> tuple[str, Credential] | None:
        """Vendor and credential of one row, of this client or of any; None if there is none.

        Raises Unreadable or SQLAlchemyError.
        """
        row = self._database.get(VendorCredentialRow, possible_id(id))
        if row is None or client_id not in (None, row.client_id):
            return None
        return row.vendor, self._open(row)

    def forget(self, client_id: str, *, is_confirmed: bool = True) -> None:
        """Reads the client's credentials from the database the next time, since they have changed.

        After a change that was not confirmed, the last known go on being used until the database answers: a change that
        fails must not fail the client's other requests.
        """
        with self._lock:
            self._changes += 1
            _, opened = self._cached.pop(client_id, NEVER_READ)
            if opened is not None and not is_confirmed:
                self._cached[client_id] = float("-inf"), opened

    def _opened(self, client_id: str) -> Opened:
        if not self._cipher.key_ids:
            return Opened({}, {})
        with self._lock:
            read_at, opened = self._cached.get(client_id, NEVER_READ)
            changes = self._changes
        if opened is not None and self._clock() < read_at + CACHE_SECONDS:
            return opened
        try:
            opened = self._sorted(self._read(client_id))
        except SQLAlchemyError:
            if opened is None:
                raise
        with self._lock:
            # What was read while something changed may be older than the change.
            if changes == self._changes:
                self._cached[client_id] = self._clock(), opened
        return opened

    def _read(self, client_id: str) -> Sequence[VendorCredentialRow]:
        query = select(VendorCredentialRow).where(VendorCredentialRow.client_id == client_id)
        query = query.order_by(VendorCredentialRow.created_at, VendorCredentialRow.id)
        return self._database.look_up(lambda session: list(session.scalars(query)))

    def _sorted(self, rows: Iterable[VendorCredentialRow]) -> Opened:
        usable: defaultdict[str, list[Credential]] = defaultdict(list)
        refused: defaultdict[str, list[tuple[StoredRow, Unreadable]]] = defaultdict(list)
        for row in rows:
            try:
                credential = self._open(row)
            except Unreadable as failure:
                refused[row.vendor].append((_stored_row(row), failure))
            else:
                usable[row.vendor].append(credential)
        return Opened(dict(usable), dict(refused))

    def _open(self, row: VendorCredentialRow) -> Credential:
        variant = self._rules.find(row.vendor, row.type)
        if variant is None:
            raise VariantUnknown(why=f"{row.id} is of type {row.type}")
        secrets = self._cipher.open(owner_of(row), sealed_in(row))
        if missing := [name for name in variant.members if name not in secrets]:
            raise MemberMissing(why=f"{row.id} has no {', '.join(missing)}")
        return Credential.stored(variant, secrets, _stored_row(row))


def _stored_row(row: VendorCredentialRow) -> StoredRow:
    return StoredRow(row.client_id, row.id, row.name)


def _size(entry: tuple[float, Opened]) -> int:
    opened = entry[1]
    return 1 + sum(map(len, chain(opened.usable.values(), opened.refused.values())))
