"""Stored credentials as the plugins read them: the counterpart of a request's vendor headers."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from cachetools import LRUCache
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.credentials.cipher import Cipher
from app.credentials.opening import Opener, Source, source_of, sources_of
from app.credentials.rows import CREDENTIALS_ID, possible_id, stored_row
from app.credentials.rules import Rules
from app.credentials.status import Status
from app.storage.credential_tables import VendorCredentialRow
from app.storage.database import Database
from vendors.kit import Credential, VendorError
from vendors.kit.credentials import StoredRow
from vendors.kit.tokens.refusals import ConsentLost
from vendors.kit.variants import BackChannel

# A change by another process is seen after this time, a change by this process at once.
CACHE_SECONDS = 4.0
# Credentials of all clients together; a client counts as one more.
MAX_CACHED = 20_000
NEVER_READ = float("-inf"), None
NO_VERSION = None, None


Refused = Sequence[tuple[StoredRow, VendorError]]


@dataclass(frozen=True, slots=True)
class Opened:
    """The stored credentials of one client by vendor, and those that cannot be used, with the reason.

    by_row: credentials by row, with the version of the row, to be used again after the next read.
    """

    usable: Mapping[str, Sequence[Credential]]
    refused: Mapping[str, Refused]
    by_row: Mapping[str, tuple[Any, Credential]] = field(default_factory=dict, repr=False)


class StoredCredentials:
    """Opens what clients have stored, and what owners have granted to them. Thread-safe.

    A client's credentials are cached for CACHE_SECONDS, and used for longer only while the database does not answer. To
    read and decrypt them for each request would take 0.7 ms of CPU, and 12 ms with 200 of them (November 2026).
    What has not changed since the last read is not decrypted again.
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

    def refused(self, client_id: str) -> Mapping[str, Refused]:
        """The client's credentials that cannot be read, and its grants that need consent again, by vendor, each with
        the reason. Raises SQLAlchemyError."""
        return self._opened(client_id).refused

    def find(
        self, id: str, client_id: str | None = None, prefix: str = CREDENTIALS_ID
    ) -> tuple[str, Credential] | None:
        """Vendor and credential of one row, of this client or of any; None if there is none.

        prefix: that of the ids which may be found. Raises Unreadable or SQLAlchemyError.
        """

        def find(session: Session) -> Source | None:
            row = session.get(VendorCredentialRow, possible_id(id, prefix))
            return source_of(session, row) if row is not None and client_id in (None, row.client_id) else None

        source = self._database.look_up(find)
        return (source.row.vendor, Opener(self._cipher, self._rules).open(source)) if source else None

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
            sources = self._database.look_up(partial(sources_of, client_id=client_id))
            opened = self._sorted(sources, opened.by_row if opened else {})
        except SQLAlchemyError:
            if opened is None:
                raise
        with self._lock:
            # What was read while something changed may be older than the change.
            if changes == self._changes:
                self._cached[client_id] = self._clock(), opened
        return opened

    def _sorted(self, sources: Sequence[Source], known: Mapping[str, tuple[Any, Credential]]) -> Opened:
        opener = Opener(self._cipher, self._rules)
        usable: defaultdict[str, list[Credential]] = defaultdict(list)
        refused: defaultdict[str, list[tuple[StoredRow, VendorError]]] = defaultdict(list)
        by_row: dict[str, tuple[Any, Credential]] = {}
        applications = {source.grant.credentials_id for source in sources if source.grant}
        for source in sources:
            row, (version, credential) = source.row, known.get(source.row.id, NO_VERSION)
            try:
                if not self._opens(source) or (row.id in applications and self._needs_consent(row)):
                    continue
                if credential is None or version != source.version:
                    credential = opener.open(source)
            except VendorError as failure:
                refused[row.vendor].append((stored_row(row), failure))
            else:
                usable[row.vendor].append(credential)
                by_row[row.id] = source.version, credential
        return Opened(dict(usable), dict(refused), by_row)

    def _opens(self, source: Source) -> bool:
        """Whether the row opens its vendor. Raises ConsentLost for a grant whose consent has ended.

        An owner's consent by e-mail opens nothing by itself: the application's stored credentials then show the sites.
        """
        if source.grant is None:
            return True
        if source.grant.status == Status.NEEDS_CONSENT:
            raise ConsentLost(why="the owner's consent has ended")
        variant = self._rules.find(source.row.vendor, source.row.type)
        return source.grant.status == Status.ACTIVE and not (variant and isinstance(variant.consent, BackChannel))

    def _needs_consent(self, application: VendorCredentialRow) -> bool:
        """Whether only the grants that were given to an application open its vendor."""
        variant = self._rules.find(application.vendor, application.type)
        return variant is not None and variant.needs_consent


def _size(entry: tuple[float, Opened]) -> int:
    opened = entry[1]
    return 1 + sum(map(len, chain(opened.usable.values(), opened.refused.values())))
