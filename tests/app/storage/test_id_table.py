"""The thread that writes ids to the table, when the service ends."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.api.services import Services
from app.storage.database import IdTableRow
from app.storage.id_table import IdRow
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
