"""Look-ups and longer work in the database, each with separate threads, and changes whose caller gives up."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.storage.database import (
    CONNECTIONS,
    LOOK_UP_THREADS,
    WORK_THREADS,
    ClientRow,
    Database,
    IdTableRow,
    Unanswered,
)

pytestmark = pytest.mark.databases

SECONDS = 60


@pytest.fixture
def database(app: Flask) -> Database:
    of_app: Database = app.extensions["services"].database
    return of_app


@contextmanager
def held(database: Database, count: int) -> Iterator[list[Future[None]]]:
    """So many pieces of longer work, of which as many as there are threads have begun and the rest is queued."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def work(session: Session) -> None:
        session.get(ClientRow, "")
        begun.release()
        assert go_on.wait(SECONDS)

    with ThreadPoolExecutor(count) as callers:
        running = [callers.submit(database.run, work, SECONDS) for _ in range(count)]
        try:
            for _ in range(min(count, WORK_THREADS)):
                assert begun.acquire(timeout=SECONDS)
            yield running
        finally:
            go_on.set()


def test_look_ups_are_answered_while_longer_work_fills_all_its_threads(database: Database) -> None:
    with held(database, CONNECTIONS * 2) as running:
        assert database.get(ClientRow, "unknown") is None
        assert not any(work.done() for work in running)
    assert [work.result(SECONDS) for work in running] == [None] * CONNECTIONS * 2


def test_all_threads_together_and_the_writer_of_ids_need_no_more_than_the_connections() -> None:
    assert LOOK_UP_THREADS + WORK_THREADS + 1 == CONNECTIONS


def new_row() -> IdTableRow:
    return IdTableRow(id="solr-1", vendor="sma", kind="solr", key=["7"])


class TimedOut:
    """A future whose first wait ends without a result, at an event and not by a clock."""

    def __init__(self, future: Future[object]) -> None:
        self.future, self.cancel = future, future.cancel
        self.time_is_up, self.waits_again = threading.Event(), threading.Event()
        self._waits = 0

    def result(self, seconds: float) -> object:
        self._waits += 1
        if self._waits == 1:
            assert self.time_is_up.wait(SECONDS)
            raise TimeoutError
        self.waits_again.set()
        return self.future.result(SECONDS)


@pytest.fixture
def timed_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[TimedOut]:
    """The futures of longer work, for which the caller's time ends when the test wants it."""
    futures: list[TimedOut] = []
    submit = database._work.submit

    def timed(transaction: Callable[[], object]) -> TimedOut:
        begin = threading.Event()
        futures.append(TimedOut(submit(lambda: begin.wait(SECONDS) and transaction())))
        begin.set()
        return futures[-1]

    monkeypatch.setattr(database._work, "submit", timed)
    return futures


def test_a_change_whose_caller_has_given_up_is_rolled_back(database: Database, timed_out: list[TimedOut]) -> None:
    gave_up = threading.Event()

    def change(session: Session) -> None:
        session.add(new_row())
        session.flush()
        timed_out[0].time_is_up.set()
        assert gave_up.wait(SECONDS)

    with pytest.raises(Unanswered):
        database.run(change, SECONDS)
    gave_up.set()
    with pytest.raises(Unanswered):
        timed_out[0].future.result(SECONDS)
    assert database.get(IdTableRow, "solr-1") is None


def test_a_change_that_is_still_queued_when_its_caller_gives_up_is_never_begun(database: Database) -> None:
    begun = []
    with held(database, WORK_THREADS), pytest.raises(Unanswered):
        database.run(begun.append, 0.01)
    database.run(lambda session: None, SECONDS)
    assert not begun


def test_a_caller_whose_time_ends_during_the_commit_gets_the_result(
    database: Database, timed_out: list[TimedOut]
) -> None:
    def commit(session: Session) -> None:
        timed_out[0].time_is_up.set()
        assert timed_out[0].waits_again.wait(SECONDS)

    def change(session: Session) -> str:
        session.add(new_row())
        event.listen(session, "before_commit", commit)
        return "made"

    assert database.run(change, SECONDS) == "made"
    assert database.get(IdTableRow, "solr-1") is not None
