"""A command whose database fails ends with one line that says so and what to do, never with a traceback."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import event

from app import config, create_app
from app.config import Settings
from app.storage.database import Base
from app.storage.database_faults import DatabaseFault
from tests.app.support import nobodys_port, run

COMMANDS = (("clients", "create", "x"), ("clients", "list"), ("clients", "revoke", "0" * 32), ("db", "upgrade"),
            ("virtual", "seed", "0" * 32))  # fmt: skip
WRITERS = (("clients", "create", "x"), ("clients", "revoke", "0" * 32))


def the_line(result: Result) -> str:
    """The only line that a failed command printed."""
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def every_statement(app: Flask, *statements: str) -> None:
    """Prepares each new connection with these."""
    engine = app.extensions["services"].database.engine
    engine.dispose()

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        for statement in statements:
            connection.execute(statement)
        if engine.dialect.name == "postgresql":
            connection.commit()


@pytest.fixture
def unreachable(
    settings: Settings, start_service: Callable[[Settings], Flask], tmp_path: Path, request: pytest.FixtureRequest
) -> Flask:
    url = {
        "sqlite": f"sqlite:///{tmp_path / 'no' / 'folder.db'}",
        "postgres": f"postgresql+psycopg://me:sesame@127.0.0.1:{nobodys_port()}/name",
    }[request.param]
    return start_service(replace(settings, database_url=url, embedded=False))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("unreachable", ["sqlite", "postgres"], indirect=True)
def test_a_database_that_cannot_be_reached_is_one_line(unreachable: Flask, command: tuple[str, ...]) -> None:
    line = the_line(run(unreachable, *command))
    assert "DATABASE_URL" in line
    assert "sesame" not in line


@pytest.mark.databases
@pytest.mark.parametrize("command", COMMANDS[:3], ids=" ".join)
def test_a_database_without_tables_is_one_line_that_names_the_command(app: Flask, command: tuple[str, ...]) -> None:
    with app.extensions["services"].database.engine.begin() as connection:
        Base.metadata.drop_all(connection)
    assert "flask --app wsgi db upgrade" in the_line(run(app, *command))


@pytest.mark.databases
@pytest.mark.parametrize("command", COMMANDS[:3], ids=" ".join)
def test_tables_of_an_older_version_are_one_line_that_names_the_command(app: Flask, command: tuple[str, ...]) -> None:
    with app.extensions["services"].database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clients DROP COLUMN name")
    assert "flask --app wsgi db upgrade" in the_line(run(app, *command))


@pytest.mark.databases
def test_tables_of_a_newer_version_are_one_line(app: Flask) -> None:
    with app.extensions["services"].database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "newer version" in the_line(run(app, "db", "upgrade"))


@pytest.mark.databases
def test_a_read_only_database_is_one_line(app: Flask) -> None:
    sqlite = app.extensions["services"].database.engine.dialect.name == "sqlite"
    every_statement(app, "PRAGMA query_only = ON" if sqlite else "SET default_transaction_read_only = on")
    for command in WRITERS:
        assert "read-only" in the_line(run(app, *command))
    assert run(app, "clients", "list").exit_code == 0


@pytest.mark.databases
def test_a_full_disk_is_one_line(app: Flask) -> None:
    if app.extensions["services"].database.engine.dialect.name == "sqlite":
        every_statement(app, "PRAGMA max_page_count = 1")
        name = "x" * 100
        results = [run(app, "clients", "create", name) for _ in range(200)]
        result = next(result for result in results if result.exit_code)
    else:
        # A server that has no space answers with this state; a trigger plays it.
        with app.extensions["services"].database.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER full_disk BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION fail()"
            )
        result = run(app, "clients", "create", "x")
    assert "disk is full" in the_line(result)


def test_a_database_that_another_process_holds_is_one_line(app: Flask, tmp_path: Path) -> None:
    every_statement(app, "PRAGMA busy_timeout = 1")
    holder = sqlite3.connect(tmp_path / "derapi.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert "another process" in the_line(run(app, "clients", "create", "x"))
    holder.close()


@pytest.mark.databases
def test_any_other_fault_is_one_line_with_the_databases_own_words(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda length: "0" * 2 * length)
    assert run(app, "clients", "create", "x").exit_code == 0
    line = the_line(run(app, "clients", "create", "x"))
    assert "The database failed" in line
    assert "unique" in line.lower()


@pytest.fixture
def run_alone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command in a process, on the embedded database in `tmp_path`."""
    environ = {**os.environ, "INSTANCE_PATH": str(tmp_path), "DATABASE_URL": "", "DYNO": ""}

    def call(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        return subprocess.run(
            command, env=environ, cwd=config.ROOT, stderr=subprocess.PIPE, text=True, timeout=60, check=False, **options
        )

    return call


@pytest.mark.exhaustive
def test_a_start_on_an_unusable_embedded_database_is_one_line(
    run_alone: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "derapi.db").mkdir()
    done = run_alone("clients", "list", stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert "database" in done.stderr


def test_a_damaged_embedded_database_is_named_as_such(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "derapi.db").write_bytes(b"no database " * 1000)
    with pytest.raises(DatabaseFault, match="damaged"):
        create_app(settings)


@pytest.mark.exhaustive
def test_a_result_that_cannot_be_written_is_one_line(
    run_alone: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    with open("/dev/full", "w") as full:
        done = run_alone("clients", "list", stdout=full)
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device.\n")
