"""The keys of stored credentials: absent, missing, rotated, lost."""

import json
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from app.config import SettingsError
from app.credentials import rotation
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from tests.app.credentials.support import PATH, Caller, credentials, services
from tests.app.credentials.test_tokens import TOKEN
from tests.app.support import run
from tests.ports import free_port
from tests.processes import GUNICORN, clean, ended

OLD, NEW, OTHER = "c" * 32, "n" * 32, "o" * 32


@pytest.fixture
def restarted(settings, start_service, client):
    """Starts the service again with other keys; returns the same client there."""

    def start(*keys):
        return Caller(start_service(replace(settings, credential_keys=keys)), "production", auth=client.auth)

    return start


def every_operation(id):
    yield "GET", PATH, {}
    yield "POST", PATH, {"json": {"credentials": credentials()}}
    yield "GET", f"{PATH}/{id}", {}
    yield "PATCH", f"{PATH}/{id}", {"json": {"name": "x"}}
    yield "DELETE", f"{PATH}/{id}", {}


def key_ids(app):
    with services(app).database.session() as session:
        tables = (VendorCredentialRow, VendorTokenRow)
        return {key_id for table in tables for key_id in session.scalars(select(table.key_id)) if key_id}


@pytest.mark.databases
def test_without_keys_the_service_serves_and_every_operation_names_the_setting(settings, start_service, network):
    app = start_service(replace(settings, credential_keys=()))
    client = Caller(app, "production")
    for method, path, options in every_operation("cred-0000000000000000"):
        answer = client.call(method, path, **options)
        assert (answer.status_code, answer.json["code"]) == (503, "credentials_not_configured")
        assert "CREDENTIAL_KEYS" in answer.json["detail"]
    assert client.get("/health").status_code == 200
    assert client.get("/sites", {"X-Authorization-nobody": "x"}).status_code == 200
    assert services(app).credentials.stored.of(client.id) == {}
    services(app).credentials.key_check.at_start()
    assert run(app, "credentials", "rotate").exit_code == 1


@pytest.mark.databases
@pytest.mark.parametrize("keys", [(NEW,), ()])
def test_a_start_without_the_key_of_stored_rows_is_refused_with_numbers_and_a_remedy(client, restarted, keys):
    for _ in range(3):
        client.store()
    check = services(restarted(*keys).app).credentials.key_check
    with pytest.raises(SettingsError, match=r"^CREDENTIAL_KEYS: .*\b3 with the key [0-9a-f]{16}\b") as raised:
        check.at_start()
    assert "\n" not in str(raised.value)
    for remedy in ("CREDENTIAL_KEYS=new,former", "credentials discard"):
        assert remedy in str(raised.value)
    services(restarted(NEW, OLD).app).credentials.key_check.at_start()


def test_a_missing_key_is_found_when_the_database_answers_if_it_did_not_at_the_start(client, restarted, lines):
    id = client.store()["id"]
    late = restarted(NEW)
    lines()
    for method, path, options in every_operation(id):
        answer = late.call(method, path, **options)
        assert (answer.status_code, answer.json["code"]) == (503, "credentials_key_missing")
        assert answer.json["fault"] == "server"
        assert "CREDENTIAL_KEYS" in answer.json["action"]
    alarms = [line for line in lines() if line["level"] == "error"]
    assert len(alarms) == 5
    assert alarms[0]["missing"] == {next(iter(key_ids(client.app))): 1}
    assert client.read(id)["name"] == "sma 1"


def test_a_start_while_the_database_is_down_leaves_the_check_for_later(settings, start_service):
    app = start_service(replace(settings, database_url="postgresql+psycopg://127.0.0.1:1/x", embedded=False))
    services(app).credentials.key_check.at_start()


@pytest.mark.databases
def test_rotation_encrypts_everything_with_the_first_key_and_can_be_run_again(client, restarted):
    ids = [client.store()["id"] for _ in range(5)]
    tokens = services(client.app).credentials.tokens
    for id in ids[:2]:
        tokens.lease(id, "a", 60)
        tokens.write(id, "a", TOKEN)
    tokens.lease(ids[2], "a", 60)
    both = restarted(NEW, OLD)
    assert len(key_ids(client.app)) == 1
    former = key_ids(client.app)
    result = run(both.app, "credentials", "rotate")
    assert result.exit_code == 0, result.output
    counts = {"encrypted": {"vendor_credentials": 5, "vendor_tokens": 2}, "unreadable": []}
    assert json.loads(result.stdout) == counts
    assert len(key_ids(client.app)) == 1
    assert key_ids(client.app) != former
    assert json.loads(run(both.app, "credentials", "rotate").stdout) == {"encrypted": {}, "unreadable": []}
    new = restarted(NEW)
    services(new.app).credentials.key_check.at_start()
    assert [new.secrets(id) for id in ids] == [credentials()] * 5
    assert services(new.app).credentials.tokens.read(ids[0]).access == TOKEN.access


@pytest.mark.databases
def test_a_rotation_that_was_interrupted_is_continued(client, restarted, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 2)
    ids = [client.store()["id"] for _ in range(5)]
    both = restarted(NEW, OLD)
    turns = services(both.app).credentials.rotation
    interrupted = turns.run()
    assert next(interrupted).encrypted == 2
    interrupted.close()
    assert turns.outdated() == 3
    assert [both.secrets(id) for id in ids] == [credentials()] * 5
    assert [batch.encrypted for batch in turns.run()] == [2, 1]
    assert turns.outdated() == 0


@pytest.mark.databases
def test_nothing_fails_or_is_lost_while_keys_are_rotated(client, restarted, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 3)
    ids = [client.store()["id"] for _ in range(12)]
    both, faults, ended = restarted(NEW, OLD), [], threading.Event()

    def use():
        number = 0
        while not ended.is_set():
            number += 1
            for id in ids[:4]:
                answer = both.patch(id, {"credentials": {"clientSecret": f"n{number}"}}, "?includeSecrets=true")
                if answer.status_code != 200 or answer.json["credentials"]["clientSecret"] != f"n{number}":
                    faults.append(answer.text)
        last.append(number)

    last: list[int] = []
    user = threading.Thread(target=use)
    user.start()
    try:
        counts = [batch.encrypted for batch in services(restarted(NEW, OLD).app).credentials.rotation.run()]
    finally:
        ended.set()
        user.join()
    assert not faults
    assert sum(counts) <= 12
    new = restarted(NEW)
    for id in ids:
        expected = f"n{last[0]}" if id in ids[:4] else credentials()["clientSecret"]
        assert new.secrets(id)["clientSecret"] == expected


def test_a_row_changed_while_a_batch_is_encrypted_keeps_the_change(client, restarted):
    id = client.store()["id"]
    both = restarted(NEW, OLD)
    turns = services(both.app).credentials.rotation
    rows = turns._batch(VendorCredentialRow, "")
    both.patch(id, {"credentials": {"clientSecret": "changed"}})
    turns._encrypt("credentials", VendorCredentialRow, rows)
    assert both.secrets(id)["clientSecret"] == "changed"


def test_rows_that_cannot_be_read_are_named_by_the_rotation_and_the_others_encrypted(client, restarted):
    ids = sorted(client.store()["id"] for _ in range(3))
    with services(client.app).database.session() as session:
        session.execute(update(VendorCredentialRow).where(VendorCredentialRow.id == ids[1]).values(ciphertext="x"))
    result = run(restarted(NEW, OLD).app, "credentials", "rotate")
    assert result.exit_code == 1
    output = json.loads(result.stdout[: result.stdout.rindex("}") + 1])
    assert output == {"encrypted": {"vendor_credentials": 2}, "unreadable": [ids[1]]}


@pytest.mark.databases
def test_what_a_lost_key_has_encrypted_can_be_discarded_so_that_the_service_starts(client, restarted):
    lost = client.store()["id"]
    tokens = services(client.app).credentials.tokens
    tokens.lease(lost, "a", 60)
    tokens.write(lost, "a", TOKEN)
    kept = restarted(NEW, OLD).store()["id"]
    app = restarted(NEW).app
    assert run(app, "credentials", "discard").exit_code == 1, "it was not confirmed"
    without_keys = run(restarted().app, "credentials", "discard", "--yes")
    assert (without_keys.exit_code, without_keys.stdout) == (1, ""), "a forgotten setting deletes nothing"
    result = run(app, "credentials", "discard", "--yes")
    assert json.loads(result.stdout) == {
        "deleted": {"vendor_tokens": 1, "vendor_credentials": 1, "vendor_keys": 0, "join_flows": 0}
    }
    services(app).credentials.key_check.at_start()
    assert [row["id"] for row in Caller(app, "production", auth=client.auth).list()] == [kept]


@pytest.mark.databases
def test_a_ciphertext_moved_to_another_row_or_client_is_refused_with_an_alarm(client, other, lines):
    stolen, victim = client.store()["id"], other.store(name="victim")["id"]
    sibling = client.store("sma", "oauthclient")["id"]
    with services(client.app).database.session() as session:
        source = session.get_one(VendorCredentialRow, stolen)
        for id in (victim, sibling):
            session.execute(
                update(VendorCredentialRow).where(VendorCredentialRow.id == id).values(ciphertext=source.ciphertext)
            )
    lines()
    for caller, id in ((other, victim), (client, sibling)):
        for call in (
            lambda: caller.get(f"{PATH}/{id}?includeSecrets=true"),  # noqa: B023 - called in this round
            lambda: caller.get(f"{PATH}?includeSecrets=true"),  # noqa: B023
            lambda: caller.patch(id, {"credentials": {"clientID": "x"}}),  # noqa: B023
        ):
            answer = call()
            assert (answer.status_code, answer.json["code"]) == (503, "credentials_tampered")
            assert answer.json["fault"] == "server"
            assert id in answer.json["detail"]
            assert "sesame" not in answer.text
        alarms = [line for line in lines() if line["level"] == "error"]
        assert [(alarm["event"], alarm["row"], alarm["client"]) for alarm in alarms] == [
            ("stored secret refused", id, caller.id)
        ] * 3
        assert "sesame" not in str(alarms)
        # It is still listed, and its owner can delete it.
        assert id in [item["id"] for item in caller.list()]
        assert caller.delete(id) == 204
    assert client.secrets(stolen) == credentials()


@pytest.mark.one_in(2)
@pytest.mark.serial
@pytest.mark.parametrize("worker", ["derapi", "gthread"])
def test_gunicorn_refuses_to_start_with_one_line_if_a_key_is_missing(client, settings, tmp_path, worker):
    client.store()
    keys = {"SECRET_KEY": "s" * 32, "ID_KEY": "i" * 32, "CREDENTIAL_KEYS": NEW}
    environ = clean(PORT=free_port(), INSTANCE_PATH=tmp_path, DATABASE_URL=settings.database_url, WORKER=worker, **keys)
    process = ended(GUNICORN, environ)
    assert process.returncode != 0
    output = process.stdout + process.stderr
    assert "CREDENTIAL_KEYS: it lacks the key" in output
    assert "Traceback" not in output
    assert NEW not in output


def test_a_ciphertext_in_the_place_of_another_key_is_reported_as_a_missing_key(client):
    id = client.store()["id"]
    with services(client.app).database.session() as session:
        session.execute(update(VendorCredentialRow).values(key_id="0" * 16))
    answer = client.get(f"{PATH}/{id}?includeSecrets=true")
    assert (answer.status_code, answer.json["code"]) == (503, "credentials_key_missing")
