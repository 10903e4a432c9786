"""The time at which each client was last seen, for the operator: written after a request, never waited for."""

import logging
import threading
import time
from collections.abc import Callable

from cachetools import LRUCache
from flask import Flask, g
from sqlalchemy import or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.storage.database import ClientRow, Database

logger = logging.getLogger(__name__)

# A client's time is written at most this often by a process.
SECONDS = 60
CLIENTS = 10_000


class LastUse:
    """Writes the times of clients, one client after the other. clock: epoch seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock
        self._noted: LRUCache[str, float] = LRUCache(CLIENTS)
        self._pending: dict[str, int] = {}
        self._is_writing = False
        self._lock = threading.Lock()

    def init_app(self, app: Flask) -> None:
        """Notes the client of each request when it ends."""

        @app.teardown_request
        def note(error: BaseException | None) -> None:
            if "client" in g:
                self.note(g.client.id)

    def note(self, client_id: str) -> None:
        """Notes that a client has been seen now."""
        now = self._clock()
        with self._lock:
            if now - self._noted.get(client_id, 0.0) < SECONDS:
                return
            self._noted[client_id] = now
            self._pending[client_id] = int(now)
            if self._is_writing:
                return
            self._is_writing = True
        self._database.start(self._write)

    def _write(self) -> None:
        """Writes what is pending, each client in a transaction, so that no lock is held while another is waited for."""
        while True:
            with self._lock:
                if not self._pending:
                    self._is_writing = False
                    return
                client_id, seen = self._pending.popitem()
            try:
                with self._database.session() as session:
                    _write_one(session, client_id, seen)
            except SQLAlchemyError as error:
                # The next minute brings another time. That the database fails is reported where it matters.
                logger.debug("the last use of a client was not written: %s", type(error).__name__)


def _write_one(session: Session, client_id: str, seen: int) -> None:
    """Writes a time that is later than the known one. A row that a change of the client has locked is left out; SQLite
    has no such locks."""
    later = or_(ClientRow.last_used_at.is_(None), ClientRow.last_used_at < seen)
    free = select(ClientRow.id).where(ClientRow.id == client_id, later).with_for_update(skip_locked=True)
    session.execute(
        update(ClientRow)
        .where(ClientRow.id.in_(free))
        .values(last_used_at=seen)
        .execution_options(synchronize_session=False)
    )
