"""The last use of a client is shown, is never in the way of a request, and is written once a minute."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from app.auth.last_use import SECONDS, LastUse
from app.storage.database import Database

pytestmark = pytest.mark.databases
GRANT = {"grant_type": "client_credentials"}
NewClient = Callable[..., tuple[str, str]]


@pytest.fixture
def clock(service_clock: Any) -> Any:
    service_clock.now = 1_800_000_000.5
    return service_clock


@pytest.fixture
def database(app: Flask, settings: Any) -> Iterator[Database]:
    """Another process's view of the same database."""
    with closing(Database(settings.database_url)) as opened:
        yield opened


def last_used(database: Database, client_id: str) -> int | None:
    with database.engine.connect() as connection:
        row = connection.execute(text("SELECT last_used_at FROM clients WHERE id = :id"), {"id": client_id}).one()
    return None if row[0] is None else int(row[0])


def written(last_use: LastUse) -> None:
    """Waits until what was noted is written."""
    done = threading.Event()
    last_use._database.start(done.set)
    assert done.wait(30)
    while last_use._is_writing:
        done.wait(0.001)


def test_a_request_for_a_token_and_one_with_a_token_are_uses_and_refused_ones_are_not(
    app: Flask, http: FlaskClient, new_client: NewClient, database: Database
) -> None:
    services = app.extensions["services"]
    (first, secret), (second, _), (third, _) = new_client(), new_client(), new_client()
    http.post("/oauth2/token", data=GRANT, auth=(first, secret))
    token, _ = services.tokens.issue(second, ["read"])
    http.get("/sites", headers={"Authorization": f"Bearer {token}"})
    http.post("/oauth2/token", data=GRANT, auth=(third, "wrong"))
    written(services.last_use)
    assert last_used(database, first) is not None
    assert last_used(database, second) is not None
    assert last_used(database, third) is None


def test_a_process_writes_the_time_of_a_client_once_a_minute_and_never_an_earlier_one(
    new_client: NewClient, database: Database, clock: Any
) -> None:
    (client_id, _), statements = new_client(), []
    event.listen(database.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    last_use = LastUse(database, clock)
    start = int(clock.now)
    for seconds, expected in ((0, start), (SECONDS - 1, start), (SECONDS, start + SECONDS)):
        clock.now = start + 0.5 + seconds
        last_use.note(client_id)
        written(last_use)
        assert last_used(database, client_id) == expected, seconds
    assert len([statement for statement in statements if statement.startswith("UPDATE")]) == 2
    clock.now = start - 1000.0
    LastUse(database, clock).note(client_id)
    written(last_use)
    assert last_used(database, client_id) == start + SECONDS


def test_a_database_that_fails_or_waits_for_a_lock_delays_no_request_and_a_later_use_is_written(
    new_client: NewClient, database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (client_id, _), (other, _) = new_client(), new_client()
    last_use, go_on, session = LastUse(database, clock), threading.Event(), database.session

    def stuck() -> Any:
        assert go_on.wait(30)
        return session()

    with monkeypatch.context() as patch:
        patch.setattr(database, "session", stuck)
        last_use.note(client_id)  # Returns, although its thread waits.
        last_use.note(other)
        go_on.set()
        written(last_use)
    assert None not in (last_used(database, client_id), last_used(database, other))
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE clients RENAME TO hidden"))
    clock.now += SECONDS
    last_use.note(client_id)
    written(last_use)
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO clients"))
    clock.now += SECONDS
    last_use.note(client_id)
    written(last_use)
    assert last_used(database, client_id) == int(clock.now)
