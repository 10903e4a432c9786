"""The database: migrations, several processes at the first start, transactions."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import event, inspect, text

from app import config
from app.auth import scopes
from app.auth.scopes import Scope, needs
from app.storage.database import Base, Database, IdTableRow

pytestmark = pytest.mark.databases

START = "import sys; from app import create_app, config; create_app(config.load()); print(config.load().id_key)"


@pytest.fixture
def database(app: Flask) -> Database:
    of_app: Database = app.extensions["services"].database
    return of_app


@pytest.mark.exhaustive
def test_three_processes_that_start_at_once_have_the_same_key_and_tables(tmp_path: Path) -> None:
    environ = {**os.environ, "INSTANCE_PATH": str(tmp_path / "instance"), "PYTHONPATH": str(config.ROOT)}
    hidden = dict.fromkeys(("DATABASE_URL", "SECRET_KEY", "ID_KEY", "DYNO"), "")
    for _ in range(2):  # the first start, and one that finds everything in place
        started = [
            subprocess.Popen(
                [sys.executable, "-c", START],
                env=environ | hidden,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        ended = [process.communicate(timeout=120) for process in started]
        assert [process.returncode for process in started] == [0, 0, 0], ended
        assert len({output for output, _ in ended}) == 1, "all have the same key"
    database = Database(f"sqlite:///{tmp_path / 'instance' / 'derapi.db'}")
    assert set(inspect(database.engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    database.close()


def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_upgrade_that_fails_leaves_nothing_behind(database_url: str) -> None:
    database = Database(database_url)

    def fail(connection: object, cursor: object, statement: str, *others: object) -> None:
        if "CREATE TABLE resources" in statement:
            raise RuntimeError("power cut")

    event.listen(database.engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError):
        database.upgrade()
    assert inspect(database.engine).get_table_names() == []
    event.remove(database.engine, "before_cursor_execute", fail)
    database.upgrade()
    assert "resources" in inspect(database.engine).get_table_names()
    database.close()


def test_a_session_commits_at_the_end_and_rolls_back_on_an_error(database: Database) -> None:
    with database.session() as session:
        session.add(IdTableRow(id="solr-1", vendor="sma", kind="solar_inverter", key=["7", "x"]))

    def write_and_fail() -> None:
        with database.session() as session:
            session.add(IdTableRow(id="solr-2", vendor="sma", kind="solar_inverter", key=["8"]))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with database.session() as session:
        row = session.get(IdTableRow, "solr-1")
        assert session.get(IdTableRow, "solr-2") is None
    assert row is not None
    assert row.key == ["7", "x"]


def test_sqlite_writes_to_a_separate_log_so_that_readers_can_go_on(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'derapi.db'}")
    database.upgrade()
    with database.engine.connect() as reader:
        assert reader.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    database.close()


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with closing(database.engine.connect()) as writer, database.engine.connect() as reader:
        writer.execute(text("INSERT INTO resources VALUES ('a', 'b', 'c', '[]')"))
        assert reader.execute(text("SELECT count(*) FROM resources")).scalar_one() == 0


def test_no_connection_is_held_while_a_view_runs(app: Flask, database: Database) -> None:
    services = app.extensions["services"]
    client_id, _ = services.clients.create("test", "production", "v1")
    token, _ = services.tokens.issue(client_id, scopes.DEFAULT)
    seen: list[str] = []
    during: list[list[str]] = []
    event.listen(database.engine, "checkout", lambda *arguments: seen.append("out"))
    event.listen(database.engine, "checkin", lambda *arguments: seen.append("in"))
    app.add_url_rule("/slow", "slow", needs(Scope.READ)(lambda: during.append(list(seen)) or {}))
    app.test_client().get("/slow", headers={"Authorization": f"Bearer {token}"})
    assert during == [["out", "in"]]
