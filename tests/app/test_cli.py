"""The commands: what they print, and that stdout holds nothing else."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import config
from app.storage.database import Base
from tests.app.support import run

pytestmark = pytest.mark.databases


def printed(app: Flask, *words: str) -> dict[str, Any]:
    result = run(app, *words)
    assert result.exit_code == 0, result.output
    members: dict[str, Any] = json.loads(result.stdout)
    return members


def test_a_client_is_created_for_production_and_v1_by_default(app: Flask) -> None:
    client = printed(app, "clients", "create", "a name")
    assert client.keys() == {"client_id", "client_secret", "name", "mode", "api_version", "scopes"}
    assert (client["name"], client["mode"], client["api_version"]) == ("a name", "production", "v1")
    other = printed(app, "clients", "create", "x", "--mode", "virtual", "--api-version", "v2024-09-01")
    assert (other["mode"], other["api_version"]) == ("virtual", "v2024-09-01")
    answer = app.test_client().post(
        "/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(client["client_id"], client["client_secret"]),
    )
    assert answer.status_code == 200


def test_unknown_modes_and_versions_are_refused(app: Flask) -> None:
    assert run(app, "clients", "create", "x", "--mode", "test").exit_code == 2
    assert run(app, "clients", "create", "x", "--api-version", "v2").exit_code == 2


def test_clients_are_listed_without_secrets_and_revoked_by_id(app: Flask) -> None:
    client = printed(app, "clients", "create", "one")
    assert printed(app, "clients", "revoke", client["client_id"])["revoked"] is True
    (listed,) = printed(app, "clients", "list")["clients"]
    times = {"created_at", "last_used_at", "revoked_at"}
    assert listed.keys() == {"client_id", "name", "mode", "api_version", "scopes"} | times
    assert listed["client_id"] == client["client_id"]
    assert listed["revoked_at"] is not None
    unknown = run(app, "clients", "revoke", "nobody")
    assert unknown.exit_code == 1
    assert unknown.stdout == ""
    assert "nobody" in unknown.stderr


@pytest.mark.exhaustive
def test_stdout_is_only_json_also_at_the_first_start_with_the_log_turned_up(tmp_path: Path) -> None:
    environ = {**os.environ, "INSTANCE_PATH": str(tmp_path), "LOG_LEVEL": "DEBUG", "DATABASE_URL": "", "DYNO": ""}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "clients", "create", "x"]
    done = subprocess.run(command, env=environ, cwd=config.ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["client_secret"] not in done.stderr
    for line in done.stderr.splitlines():
        assert isinstance(json.loads(line), dict)


def test_wrong_settings_end_every_command_with_the_list_of_faults() -> None:
    environ = {**os.environ, "PORT": "x", "REQUEST_DEADLINE": "0"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "vendors"]
    done = subprocess.run(command, env=environ, cwd=config.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert [line.strip().partition(":")[0] for line in done.stderr.splitlines()[1:]] == ["PORT", "REQUEST_DEADLINE"]


def test_db_upgrade_makes_the_tables(app: Flask) -> None:
    with app.extensions["services"].database.engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    assert run(app, "clients", "list").exit_code == 1
    assert run(app, "db", "upgrade").exit_code == 0
    assert printed(app, "clients", "list") == {"clients": []}


def test_vendors_lists_the_discovered_vendors(app: Flask) -> None:
    from vendors.kit import registry

    assert set(printed(app, "vendors")["vendors"]) == set(registry.discover())


def test_the_sandbox_is_served_on_the_given_port_with_the_given_fleet(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[dict[str, int]] = []
    monkeypatch.setattr("sandbox.serve", lambda **options: served.append(options))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert run(app, "sandbox", "--port", str(port), "--sites", "3", "--seed", "7").exit_code == 0
    assert served == [{"port": port, "sites": 3, "seed": 7}]
    assert run(app, "sandbox", "--sites", "0").exit_code == 2


def test_a_used_port_is_one_line_that_names_the_setting(app: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        result = run(app, "sandbox", "--port", str(port))
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert f"Port {port} cannot be used" in line
    assert "SANDBOX_PORT=" in line
