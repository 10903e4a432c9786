"""The documented backup and restore, with stored credentials and their keys, as docs/back-up.md has the commands."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from app.config import ROOT, load
from tests.app.credentials.support import Caller, credentials, libpq_url, services
from tests.app.credentials.test_tokens import TOKEN
from tests.processes import SECONDS

TEXT = (ROOT / "docs/back-up.md").read_text()


def documented(pattern):
    """The command of the documentation that this matches."""
    (command,) = re.findall(pattern, TEXT, re.MULTILINE)
    return command


def run(command, folder, **environ):
    """Runs it in a folder, in a shell, as an operator would."""
    environ = {**os.environ, **environ}
    subprocess.run(command, shell=True, cwd=folder, env=environ, check=True, timeout=SECONDS)


def test_the_embedded_database_and_its_keys_are_restored_in_another_folder(tmp_path, start_service):
    (tmp_path / "python3").symlink_to(sys.executable)
    client = Caller(start_service(load({"INSTANCE_PATH": str(tmp_path / "instance")})), "production")
    id = client.store()["id"]
    tokens = services(client.app).credentials.tokens
    tokens.lease(id, "a", 60)
    tokens.write(id, "a", TOKEN)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    run(documented(r"^ +(python3 -c .*VACUUM INTO.*)$"), tmp_path, PATH=path)
    copy = documented(r"^ +(cp -p .*)/where/the/backup/goes/$")
    (tmp_path / "restored").mkdir()
    run(f"{copy} restored/", tmp_path)
    os.rename(tmp_path / "backup.db", tmp_path / "restored" / "derapi.db")
    client.patch(id, {"name": "after the backup"})
    restored = Caller(
        start_service(load({"INSTANCE_PATH": str(tmp_path / "restored")})), "production", auth=client.auth
    )
    services(restored.app).credentials.key_check.at_start()
    assert restored.list() == [{"id": id, "name": "sma 1", "credentials": {"vendor": "sma", "type": "customgrant"}}]
    assert restored.secrets(id) == credentials()
    assert services(restored.app).credentials.tokens.read(id).access == TOKEN.access


@pytest.mark.exhaustive
def test_a_dump_of_postgres_is_restored_in_another_database(postgres, settings, tmp_path, start_service):
    settings = replace(settings, database_url=postgres.url())
    client = Caller(start_service(settings), "production")
    id = client.store()["id"]
    path = f"{postgres.program('pg_dump').parent}{os.pathsep}{os.environ['PATH']}"
    dump, restore = (documented(rf"^ +({program} .*)$") for program in ("pg_dump", "pg_restore"))
    run(dump, tmp_path, PATH=path, DATABASE_URL=libpq_url(settings))
    elsewhere = replace(settings, database_url=postgres.url())
    run(restore, tmp_path, PATH=path, DATABASE_URL=libpq_url(elsewhere))
    restored = Caller(start_service(elsewhere), "production", auth=client.auth)
    assert restored.secrets(id) == credentials()
    client.patch(id, {"name": "after the backup"})
    run(restore, tmp_path, PATH=path, DATABASE_URL=libpq_url(settings))
    assert client.read(id)["name"] == "sma 1", "the same database, set back"
