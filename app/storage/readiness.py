"""Whether the database and Redis answer, each asked within a limit and never more than once at a time.

A request that asks while an answer is due waits for the same answer. So however many requests ask, and however long a
part hangs, it occupies one thread, and no request waits longer than the limit.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from functools import partial

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.storage import schema_revision
from app.storage.database import ClientRow, Database
from app.storage.redis_ledger import SharedLedger

LIMIT_SECONDS = 1.0


class PartState(StrEnum):
    """State of a part. `NOT_MIGRATED`: the database answers, and lacks tables of this version."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    NOT_MIGRATED = "not migrated"


class Probe:
    """Asks one part, in a separate thread that starts with the first question."""

    def __init__(self, name: str, query: Callable[[], PartState]) -> None:
        self._query = query
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"probe-{name}")
        self._lock = threading.Lock()
        self._answer: Future[PartState] | None = None
        self._asked_at = 0.0

    def ask(self) -> Callable[[], PartState]:
        """Asks, unless an answer is due; returns the function that waits for the answer."""
        with self._lock:
            if self._answer is None or self._answer.done():
                self._answer, self._asked_at = self._thread.submit(self._query), time.monotonic()
            answer, asked_at = self._answer, self._asked_at

        def wait() -> PartState:
            try:
                return answer.result(max(0.0, asked_at + LIMIT_SECONDS - time.monotonic()))
            except TimeoutError:
                return PartState.UNAVAILABLE

        return wait

    def close(self) -> None:
        """Ends the thread, without waiting for an answer that is due."""
        self._thread.shutdown(wait=False)


class Readiness:
    """The parts that this process needs."""

    def __init__(self, database: Database, ledger: SharedLedger | None) -> None:
        self._database = database
        self._is_migrated = False
        self._probes = {"database": Probe("database", self._database_state)}
        if ledger is not None:
            self._probes["redis"] = Probe("redis", partial(_redis_state, ledger))

    def parts(self) -> Mapping[str, PartState]:
        """The state of each part; without REDIS_URL, Redis is none."""
        answers = {name: probe.ask() for name, probe in self._probes.items()}
        return {name: wait() for name, wait in answers.items()}

    def close(self) -> None:
        """Ends the threads."""
        for probe in self._probes.values():
            probe.close()

    def _database_state(self) -> PartState:
        try:
            return self._database.look_up(self._state_of_tables)
        except SQLAlchemyError:
            return PartState.UNAVAILABLE

    def _state_of_tables(self, session: Session) -> PartState:
        # Migrations are not undone while processes serve, so the revision is not asked for again.
        if self._is_migrated:
            session.get(ClientRow, "")
            return PartState.OK
        self._is_migrated = not schema_revision.is_behind(schema_revision.current(session))
        return PartState.OK if self._is_migrated else PartState.NOT_MIGRATED


def _redis_state(ledger: SharedLedger) -> PartState:
    return PartState.OK if ledger.is_shared else PartState.UNAVAILABLE
