"""The SQLite file is whole without its log at the start and the end, and the documented backup works."""

import re
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from app.config import ROOT
from app.storage.database import Database
from tests.ports import free_port
from tests.processes import GUNICORN, clean, ended, read_until, started

# A process that writes a client and dies at once.
KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
values = "VALUES ('0', 'killed', 'virtual', 'v1', '', 0)"
connection.execute(f"INSERT INTO clients (id, name, mode, api_version, secret_sha256, created_at) {values}")
connection.commit()
os.kill(os.getpid(), 9)
"""


def names_of_clients(file: Path) -> list[str]:
    """Read from a copy of this file alone."""
    copy = file.with_suffix(".copy")
    shutil.copy(file, copy)
    with closing(sqlite3.connect(copy)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM clients")]


def test_the_tables_are_in_the_file_after_an_upgrade(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'derapi.db'}")
    database.upgrade()
    assert names_of_clients(tmp_path / "derapi.db") == []
    database.close()


def test_a_client_is_in_the_file_once_the_command_has_ended(app: Flask, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "derapi.db")) as server:
        server.execute("SELECT * FROM clients").fetchall()
        result = app.test_cli_runner().invoke(args=["clients", "create", "x"])
        assert result.exit_code == 0
        assert names_of_clients(tmp_path / "derapi.db") == ["x"]


def test_a_checkpoint_of_a_database_that_cannot_be_reached_fails_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no' / 'folder.db'}")
    database.checkpoint()
    database.close()


@pytest.mark.databases
def test_no_connection_is_left_open_by_an_upgrade(app: Flask) -> None:
    assert app.extensions["services"].database.engine.pool.checkedin() == 0


@pytest.mark.one_in(2)
@pytest.mark.serial
@pytest.mark.parametrize("embedded", [True, False])
def test_a_service_starts_and_ends_with_everything_in_the_file(tmp_path: Path, embedded: bool) -> None:
    file = tmp_path / "derapi.db"
    settings = {} if embedded else {"DATABASE_URL": f"sqlite:///{file}", "SECRET_KEY": "s" * 32, "ID_KEY": "i" * 32}
    environ = clean(PORT=free_port(), INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=2, **settings)
    python = GUNICORN[:1]
    ended([*python, "-m", "flask", "--app", "wsgi", "db", "upgrade"], environ)
    killed = subprocess.run([*python, "-c", KILLED, file], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert names_of_clients(file) == []
    with started(GUNICORN, environ) as process:
        read_until(process, "listening")
        assert names_of_clients(file) == ["killed"]
        with closing(sqlite3.connect(file)) as another:
            another.execute("UPDATE clients SET name = 'renamed'")
            another.commit()
            process.send_signal(signal.SIGTERM)
            # A worker that has just been forked may miss the signal, and is killed after half a minute.
            process.communicate(timeout=60)
            assert names_of_clients(file) == ["renamed"]


def test_the_documented_backup_of_a_database_in_use_can_be_read(app: Flask, tmp_path: Path) -> None:
    app.extensions["services"].clients.create("x", "production", "v1")
    text = (ROOT / "docs/back-up.md").read_text()
    (command,) = re.findall(r"^ +(.*VACUUM INTO.*)$", text, re.MULTILINE)
    script = re.fullmatch(r"python3 -c '(.*)' (\S+) (\S+)", command)
    assert script, command
    target = tmp_path / "backup.db"
    ended([*GUNICORN[:1], "-c", script[1], str(tmp_path / "derapi.db"), str(target)], clean())
    assert names_of_clients(target) == ["x"]
