"""The table from public ids to vendors' keys, so that one device is found with one look.

It is a cache with a long memory: a missing row is found again by asking the vendors, and a database that is
down fails no list. It holds nothing of the vendors' data but those keys.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app.storage import Database, Resource
from vendors.kit import Key

log = logging.getLogger(__name__)

CHUNK = 500
# Ids that this process has written, so that a list it gives often costs no database. About 90 MB at the most.
MAX_KNOWN = 500_000


@dataclass(frozen=True, slots=True)
class Located:
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

    def find(self, id: str) -> Located | None:
        """The row of an id. Raises SQLAlchemyError when the database does not answer."""
        with self._database.session() as session:
            row = session.get(Resource, id)
            return Located(row.id, row.vendor, row.kind, tuple(row.key)) if row else None

    def remember(self, found: Iterable[Located], *, again: bool = False) -> None:
        """Writes the rows that this process has not yet written; `again`: all of them. Never raises for a
        database that fails."""
        new = [located for located in found if again or located.id not in self._known]
        try:
            for start in range(0, len(new), CHUNK):
                self._insert(new[start : start + CHUNK])
        except SQLAlchemyError as error:
            log.warning("ids could not be stored: %s", type(error).__name__)
            return
        with self._lock:
            if len(self._known) + len(new) > MAX_KNOWN:
                self._known.clear()
            self._known.update(located.id for located in new)

    def _insert(self, found: list[Located]) -> None:
        rows: list[dict[str, Any]] = [
            {"id": located.id, "vendor": located.vendor, "kind": located.kind, "key": list(located.key)}
            for located in found
        ]
        with self._database.session() as session:
            session.execute(self._insert_if_absent(), rows)

    def _insert_if_absent(self) -> Insert:
        if self._database.engine.dialect.name == "postgresql":
            return postgresql.insert(Resource).on_conflict_do_nothing()
        return sqlite.insert(Resource).on_conflict_do_nothing()
