"""The thread that writes ids to the table, and the ids that a process remembers as written."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.api.services import Services
from app.config import Settings
from app.storage.database import IdTableRow
from app.storage.id_table import IdRow, IdTable
from vendors.kit.deadline import Deadline


@pytest.mark.databases
def test_a_service_that_ends_while_ids_are_written_closes_the_database_afterwards(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    services: Services = app.extensions["services"]
    session = services.database.session
    may_write, events = threading.Event(), []

    @contextmanager
    def slow_session() -> Iterator[Session]:
        with session() as opened:
            assert may_write.wait(60)
            yield opened
        events.append("written")

    def close_database() -> None:
        events.append("closed")

    monkeypatch.setattr(services.database, "session", slow_session)
    monkeypatch.setattr(services.database, "close", close_database)
    services.id_table.remember([IdRow("solr-1", "sma", "solr", ("7",))], Deadline(0.0))
    ending = threading.Thread(target=services.close)
    ending.start()
    may_write.set()
    ending.join(60)
    monkeypatch.undo()
    assert events == ["written", "closed"]
    row = services.database.get(IdTableRow, "solr-1")
    assert row is not None
    assert row.vendor == "sma"


REAL = IdRow("solr-1", "sma", "solr", ("7",))
VIRTUAL = IdRow("solr-2", "virtual", "solr", ("8",))


def write(table: IdTable, *rows: IdRow) -> None:
    table.remember(rows, Deadline(0.0))
    finish(table)


def finish(table: IdTable) -> None:
    """Waits for the thread that writes."""
    table._writer.submit(int).result(60)


@pytest.fixture
def id_table(app: Flask) -> IdTable:
    of_app: IdTable = app.extensions["services"].id_table
    write(of_app, REAL, VIRTUAL)
    return of_app


@pytest.mark.databases
def test_an_id_that_another_process_has_deleted_makes_a_process_forget_no_other(
    id_table: IdTable, settings: Settings, start_service: Callable[..., Flask]
) -> None:
    elsewhere: IdTable = start_service(settings).extensions["services"].id_table
    assert id_table.find(VIRTUAL.id) == elsewhere.find(VIRTUAL.id) == VIRTUAL
    elsewhere.forget([VIRTUAL.id])
    finish(elsewhere)
    assert id_table.find(VIRTUAL.id) is None
    assert id_table.knows([REAL.id])
