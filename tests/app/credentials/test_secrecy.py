"""No secret in a stolen database, in a log, in an error or in a name."""

import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.credentials.store import CredentialStore
from app.storage.database import Database
from tests.app.credentials.support import PATH, VARIANTS, credentials, libpq_url, services
from tests.processes import SECONDS
from vendors.kit.tokens.store import Token

LOG_LEVEL = "DEBUG"
SENTINEL = "Tr0ub4dor-sentinel"


def fill(client):
    """Stores every variant, and an access token with a refresh token for each."""
    tokens = services(client.app).credentials.tokens
    for variant in VARIANTS:
        body = {"credentials": credentials(*variant, secret=SENTINEL), "name": "visible name"}
        id = client.call("POST", PATH, json=body).json["id"]
        assert tokens.lease(id, "holder", 60)
        assert tokens.write(id, "holder", Token(f"access-{SENTINEL}", 300.0, f"refresh-{SENTINEL}", "hash"))


def check(stolen, client):
    """That a stolen text has the rows, and none of the secrets in any case or encoding that a dump may have."""
    assert b"visible name" in stolen
    assert client.id.encode() in stolen
    for secret in (SENTINEL, "c" * 32):
        for form in (secret, secret.encode().hex(), secret.encode("utf-16-le").hex()):
            assert form.lower().encode() not in stolen.lower()
        assert secret.encode("utf-16-le") not in stolen


def test_the_bytes_of_the_sqlite_file_and_of_its_log_hold_no_secret(app, client, settings):
    path = Path(make_url(settings.database_url).database)
    # A reader keeps SQLite from moving the log into the file.
    with closing(Database(settings.database_url)) as reader, reader.engine.connect() as connection:
        connection.exec_driver_sql("SELECT * FROM clients").fetchall()
        fill(client)
        wal = path.with_name(f"{path.name}-wal").read_bytes()
        check(wal, client)
    services(app).database.checkpoint()
    check(path.read_bytes(), client)


@pytest.mark.databases
def test_a_dump_of_the_database_holds_no_secret(request, client, settings):
    fill(client)
    if settings.database_url.startswith("sqlite"):
        with services(client.app).database.engine.connect() as connection:
            dumps = ["\n".join(connection.connection.driver_connection.iterdump()).encode()]
    else:
        command = [request.getfixturevalue("postgres").program("pg_dump"), libpq_url(settings), "--compress=0"]
        dumps = [
            subprocess.run([*command, f"--format={kind}"], capture_output=True, check=True, timeout=SECONDS).stdout
            for kind in ("plain", "custom")
        ]
    for dump in dumps:
        check(dump, client)


def test_no_log_line_answer_or_fault_has_a_secret_and_each_reading_is_noted(app, client, other, lines):
    posted = credentials(secret=SENTINEL)
    lines()
    answers = [client.call("POST", PATH, json={"credentials": posted})]
    id = answers[0].json["id"]
    wrong = [{"clientSecret": f"{SENTINEL}\n"}, {"vendor": SENTINEL}, {"type": SENTINEL}, {"clientID": None},
             {"apiKey": SENTINEL}]  # fmt: skip
    for patch in wrong:
        answers.append(client.call("POST", PATH, json={"credentials": posted | patch}))
        answers.append(client.patch(id, {"credentials": {"clientID": SENTINEL} | patch}))
    answers.append(client.call("POST", PATH, data=json.dumps(posted), content_type="text/plain"))
    answers += [client.patch(id, {"credentials": posted}), client.get(PATH), other.patch(id, {"credentials": posted})]
    assert [answer.text for answer in answers if SENTINEL in answer.text] == []
    written = lines()
    assert SENTINEL not in str(written)
    assert not [line for line in written if line["event"] == "stored secrets shown"]
    shown = [
        client.get(f"{PATH}/{id}?includeSecrets=true"),
        client.get(f"{PATH}?includeSecrets=true"),
        client.patch(id, {}, "?includeSecrets=true"),
        client.call("POST", f"{PATH}?includeSecrets=true", json={"credentials": posted}),
    ]
    assert all(SENTINEL in answer.text for answer in shown)
    assert all(SENTINEL not in str(answer.headers) for answer in shown)
    written = lines()
    assert SENTINEL not in str(written)
    readings = [line for line in written if line["event"] == "stored secrets shown"]
    assert [line["row"] for line in readings] == [id, id, id, shown[-1].json["id"]]
    assert {(line["client"], line["level"]) for line in readings} == {(client.id, "info")}
    assert all(line["request_id"] for line in readings)


def test_a_failing_database_or_code_shows_no_secret(app, client, lines, monkeypatch):
    id = client.store()["id"]

    def failing(*arguments):
        raise RuntimeError(f"made up: {SENTINEL}")

    monkeypatch.setattr(CredentialStore, "_seal", failing)
    lines()
    posted = credentials(secret=SENTINEL)
    for answer in (
        client.call("POST", PATH, json={"credentials": posted | {"clientSecret": SENTINEL}}),
        client.patch(id, {"credentials": {"clientSecret": SENTINEL}}),
    ):
        assert answer.status_code == 500
        assert SENTINEL not in answer.text
    written = lines()
    assert len([line for line in written if line["level"] == "error"]) == 2
    assert SENTINEL not in str(written)


def test_nothing_that_holds_secrets_shows_them_when_printed(app, client):
    client.store()
    stored = services(app).credentials
    objects = [stored, services(app).settings, *stored.stored.of(client.id)["sma"], Token(SENTINEL, 1.0, SENTINEL)]
    objects += [stored.rules.check(credentials(secret=SENTINEL)), stored.store.find(client.id, client.list()[0]["id"])]
    for shown in objects:
        for secret in (SENTINEL, "sesame", "c" * 32):
            assert secret not in repr(shown)
