"""The table from public ids to vendors' keys, so that one device is found with one look.

It is a cache with a long memory: a missing row is found again by asking the vendors, and a database that is
down fails no list. It holds nothing of the vendors' data but those keys.
"""

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app.storage.database import Database, Resource
from vendors.kit import Key
from vendors.kit.deadline import Deadline

log = logging.getLogger(__name__)

CHUNK = 500
TABLE = Resource.metadata.tables[Resource.__tablename__]
# Ids that this process has written, so that a list it gives often costs no database. About 90 MB at the most.
MAX_KNOWN = 500_000
# Usually the rows are there before the answer is, so that its ids can be read at once in every process.
PATIENCE_SECONDS = 0.25
# Lists whose rows wait for the database; those of further ones are left to a later list.
MAX_WAITING = 100


@dataclass(frozen=True, slots=True)
class IdRow:
    """Where a public id leads."""

    id: str
    vendor: str
    kind: str
    key: Key


class Resources:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: set[str] = set()
        self._lock = threading.Lock()
        # One at a time: writers of one database wait for each other anyway. Its thread starts on first use.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ids")
        self._waiting = 0

    def find(self, id: str) -> IdRow | None:
        """The row of an id; None also when the database does not answer, as the vendors can be asked instead."""
        try:
            row = self._database.get(Resource, id)
        except SQLAlchemyError as error:
            log.warning("the table of ids does not answer: %s", type(error).__name__)
            return None
        found = IdRow(row.id, row.vendor, row.kind, tuple(row.key)) if row else None
        if found is None and id in self._known:
            # Somebody emptied the table: what lists give from now on has to be written again.
            with self._lock:
                self._known.clear()
        return found

    def knows(self, ids: Iterable[str]) -> bool:
        """Whether this process has written the rows of all these."""
        return self._known.issuperset(ids)

    def remember(self, found: Iterable[IdRow], deadline: Deadline, *, again: bool = False) -> None:
        """Writes the rows that this process has not yet written; `again`: all of them.

        Waits for that only a moment: a database that is slow, locked or down must not hold a list.
        """
        new = [located for located in found if again or located.id not in self._known]
        with self._lock:
            if not new or self._waiting >= MAX_WAITING:
                return
            self._waiting += 1
        written = self._writer.submit(self._write, new)
        wait([written], min(PATIENCE_SECONDS, deadline.left()))

    def _write(self, new: list[IdRow]) -> None:
        try:
            for start in range(0, len(new), CHUNK):
                self._insert(new[start : start + CHUNK])
        except SQLAlchemyError as error:
            log.warning("ids could not be stored: %s", type(error).__name__)
            return
        finally:
            with self._lock:
                self._waiting -= 1
        with self._lock:
            if len(self._known) + len(new) > MAX_KNOWN:
                self._known.clear()
            self._known.update(located.id for located in new)

    def _insert(self, found: list[IdRow]) -> None:
        rows: list[dict[str, Any]] = [
            {"id": located.id, "vendor": located.vendor, "kind": located.kind, "key": list(located.key)}
            for located in found
        ]
        with self._database.session() as session:
            session.execute(self._insert_if_absent(), rows)

    def _insert_if_absent(self) -> Insert:
        if self._database.engine.dialect.name == "postgresql":
            return postgresql.insert(TABLE).on_conflict_do_nothing()
        return sqlite.insert(TABLE).on_conflict_do_nothing()
