"""GET /health and GET /ready: promise 43."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import lifecycle
from app.config import Settings
from app.lifecycle import Phase
from app.storage.database import CONNECT_ARGS, Database
from app.storage.readiness import LIMIT_SECONDS
from app.version import VERSION
from tests.app.support import nobodys_port

StartService = Callable[[Settings], Flask]
# Added to the expected duration, for a busy machine.
GRACE = 8.0
# How long the drivers wait in these tests, so that only the limit of /ready can end the wait.
PATIENCE = 60


@contextmanager
def silent_server() -> Iterator[socket.socket]:
    """A server that accepts connections, in its kernel's queue, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
def patient_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers that wait until the silent server is closed."""
    monkeypatch.setattr("app.storage.database.READ_SECONDS", PATIENCE)
    monkeypatch.setitem(CONNECT_ARGS, "connect_timeout", PATIENCE)
    monkeypatch.setattr("app.storage.redis_ledger.TIMEOUT_SECONDS", PATIENCE)


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def postgres(port: int) -> str:
    return f"postgresql+psycopg://user:password@127.0.0.1:{port}/name"


def probes() -> int:
    return sum(thread.name.startswith("probe-") for thread in threading.enumerate())


def test_health_asks_neither_database_nor_redis(settings: Settings, start_service: StartService) -> None:
    with silent_server() as database, silent_server() as redis:
        http = start_service(
            replace(
                settings,
                database_url=postgres(port_of(database)),
                embedded=False,
                redis_url=f"redis://127.0.0.1:{port_of(redis)}/0",
            )
        ).test_client()
        answer = http.get("/health")
        assert (answer.status_code, answer.json) == (200, {"status": "ok"})
        for server in (database, redis):
            with pytest.raises(BlockingIOError):
                server.accept()


@pytest.mark.usefixtures("patient_drivers")
@pytest.mark.parametrize("redis", ["ok", "down", "hung", None])
@pytest.mark.parametrize("database", ["ok", "down", "hung"])
def test_ready_reports_within_a_second_which_part_is_missing(
    settings: Settings, start_service: StartService, redis_url: str, database: str, redis: str | None
) -> None:
    with silent_server() as server:
        ports = {"down": nobodys_port(), "hung": port_of(server)}
        if database != "ok":
            settings = replace(settings, database_url=postgres(ports[database]), embedded=False)
        if redis is not None:
            url = redis_url if redis == "ok" else f"redis://127.0.0.1:{ports[redis]}/0"
            settings = replace(settings, redis_url=url)
        http = start_service(settings).test_client()
        started = time.monotonic()
        answer = http.get("/ready", headers={"Host": "10.1.2.3"})
        assert time.monotonic() - started < LIMIT_SECONDS + GRACE
    parts = {"database": database} | ({} if redis is None else {"redis": redis})
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok" if set(parts.values()) == {"ok"} else "degraded",
        **{part: "ok" if state == "ok" else "unavailable" for part, state in parts.items()},
    }
    assert "127.0.0.1" not in answer.text
    assert VERSION not in answer.text


@pytest.mark.usefixtures("patient_drivers")
def test_many_requests_to_ready_while_the_database_hangs_share_one_thread(
    settings: Settings, start_service: StartService
) -> None:
    with silent_server() as database, ThreadPoolExecutor(20) as callers:
        app = start_service(replace(settings, database_url=postgres(port_of(database)), embedded=False))
        before, started = probes(), time.monotonic()
        answers = list(callers.map(lambda _: app.test_client().get("/ready").get_json(), range(20)))
        assert time.monotonic() - started < LIMIT_SECONDS + GRACE
        assert probes() <= before + 1
    assert answers == [{"status": "degraded", "database": "unavailable"}] * 20


@pytest.mark.databases
@pytest.mark.parametrize("tables", ["none", "of an older version"])
def test_ready_is_503_until_the_migrations_are_done(
    settings: Settings, start_service: StartService, tables: str
) -> None:
    if tables == "none":
        settings = replace(settings, database_url=settings.database_url.replace("derapi.db", "empty.db"))
    database = Database(settings.database_url)
    if tables != "none":
        database.upgrade()
        with database.session() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    http = start_service(replace(settings, embedded=False)).test_client()
    answer = http.get("/ready")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "migrations_pending"
    assert http.get("/health").status_code == 200
    if tables != "none":
        with database.session() as session:
            session.execute(text("UPDATE alembic_version SET version_num = 'of a newer version'"))
    else:
        database.upgrade()
    database.close()
    assert http.get("/ready").json == {"status": "ok", "database": "ok"}


def test_ready_does_not_ask_for_the_revision_again_once_the_migrations_are_done(
    settings: Settings, start_service: StartService
) -> None:
    app = start_service(settings)
    assert app.test_client().get("/ready").status_code == 200
    with app.extensions["services"].database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert app.test_client().get("/ready").status_code == 200


def test_a_database_that_comes_back_is_ready_again(
    settings: Settings, start_service: StartService, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    url = f"sqlite:///{folder / 'derapi.db'}"
    http = start_service(replace(settings, database_url=url, embedded=False)).test_client()
    assert http.get("/ready").json == {"status": "degraded", "database": "unavailable"}
    folder.mkdir()
    database = Database(url)
    database.upgrade()
    database.close()
    assert http.get("/ready").json == {"status": "ok", "database": "ok"}


@pytest.mark.parametrize("phase", [Phase.DRAINING, Phase.STOPPING])
def test_ready_is_503_while_the_service_ends(http: FlaskClient, phase: Phase) -> None:
    lifecycle.enter(phase)
    try:
        answer = http.get("/ready", headers={"Host": "any.example"})
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["code"] == "stopping"
        assert "any.example" not in answer.text
        assert http.get("/health").status_code == 200
    finally:
        lifecycle.enter(Phase.SERVING)
