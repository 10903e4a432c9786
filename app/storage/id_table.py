"""Table from public ids to vendors' keys, so that a device is found with one query.

It is a persistent cache: a missing row is restored by listing the vendors, and a database that is down fails no list.
It holds only these keys of the vendors' data. Each process remembers the ids that it has written: to write all of
them for each list would double the CPU of lists of 6,000 inverters (November 2026, docs/performance.md).
"""

import logging
import threading
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app.storage.database import Database, IdTableRow
from vendors.kit import Key
from vendors.kit.deadline import Deadline

logger = logging.getLogger(__name__)

CHUNK = 500
TABLE = IdTableRow.metadata.tables[IdTableRow.__tablename__]
# Ids that this process has written, so that a repeated list needs no database. About 90 MB at most.
MAX_KNOWN = 500_000
# A list waits this long for its rows to be written. Usually they are by then, so that every process can read its ids.
WRITE_WAIT_SECONDS = 0.25
# Lists whose rows may be queued for the database; rows of any further list are written by a later list.
MAX_QUEUED = 100


@dataclass(frozen=True, slots=True)
class IdRow:
    """Vendor, kind and key behind a public id."""

    id: str
    vendor: str
    kind: str
    key: Key


class IdTable:
    """Thread-safe. Rows are written by a separate thread.

    stored: vendors whose ids are stored when their sites and devices are made. They are not remembered as written,
    since another process may delete them, and a missing row that was remembered means that the table has been emptied.
    """

    def __init__(self, database: Database, stored: Collection[str] = ()) -> None:
        self._database, self.stored = database, stored
        self._known: set[str] = set()
        self._lock = threading.Lock()
        # A single thread, since writers of one database wait for each other anyway. It starts on first use.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ids")
        self._queued = 0

    def close(self) -> None:
        """Waits until the queued rows are written, and ends the thread that writes them."""
        self._writer.shutdown()

    def find(self, id: str) -> IdRow | None:
        """The row of an id; None also when the database does not answer, as the vendors can be listed instead."""
        try:
            row = self._database.get(IdTableRow, id)
        except SQLAlchemyError as error:
            logger.warning("the table of ids does not answer: %s", type(error).__name__)
            return None
        if row is None and id in self._known:
            # The table has been emptied: the ids of all further lists have to be written again.
            with self._lock:
                self._known.clear()
        return IdRow(row.id, row.vendor, row.kind, tuple(row.key)) if row else None

    def knows(self, ids: Iterable[str]) -> bool:
        """Whether this process has written the rows of all these ids."""
        return self._known.issuperset(ids)

    def remember(self, rows: Iterable[IdRow], deadline: Deadline, *, again: bool = False) -> None:
        """Writes the rows that this process has not yet written, or with `again` all of them.

        Waits at most WRITE_WAIT_SECONDS: a database that is slow, locked or down must not delay a list.
        """
        new = [row for row in rows if again or row.id not in self._known]
        with self._lock:
            if not new or self._queued >= MAX_QUEUED:
                return
            self._queued += 1
        written = self._writer.submit(self._write, new)
        wait([written], min(WRITE_WAIT_SECONDS, deadline.left()))

    def forget(self, ids: Sequence[str]) -> None:
        """Deletes the rows of ids whose sites or devices are gone for ever, so that the table does not grow."""
        self._writer.submit(self._delete, ids)

    def _delete(self, ids: Sequence[str]) -> None:
        try:
            for start in range(0, len(ids), CHUNK):
                with self._database.session() as session:
                    session.execute(delete(TABLE).where(TABLE.c.id.in_(ids[start : start + CHUNK])))
        except SQLAlchemyError as error:
            logger.warning("ids could not be deleted: %s", type(error).__name__)

    def _write(self, new: list[IdRow]) -> None:
        try:
            for start in range(0, len(new), CHUNK):
                self._insert(new[start : start + CHUNK])
        except SQLAlchemyError as error:
            logger.warning("ids could not be stored: %s", type(error).__name__)
            return
        finally:
            with self._lock:
                self._queued -= 1
        with self._lock:
            if len(self._known) + len(new) > MAX_KNOWN:
                self._known.clear()
            self._known.update(row.id for row in new if row.vendor not in self.stored)

    def _insert(self, rows: list[IdRow]) -> None:
        values: list[dict[str, Any]] = [
            {"id": row.id, "vendor": row.vendor, "kind": row.kind, "key": list(row.key)} for row in rows
        ]
        with self._database.session() as session:
            session.execute(self._insert_if_absent(), values)

    def _insert_if_absent(self) -> Insert:
        if self._database.engine.dialect.name == "postgresql":
            return postgresql.insert(TABLE).on_conflict_do_nothing()
        return sqlite.insert(TABLE).on_conflict_do_nothing()
