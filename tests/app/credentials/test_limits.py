"""Bounds of a client's stored credentials, and changes that happen at once."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import func, select

from app.config import ROOT
from app.credentials import store
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.web.problems import Problem
from tests.app.credentials.support import PATH, Caller, credentials, services
from tests.app.support import run

pytestmark = pytest.mark.databases


def rows(app, table=VendorCredentialRow):
    with services(app).database.session() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_the_limit_is_that_of_the_documentation():
    assert store.MAX_CREDENTIALS == 200


def test_one_more_than_the_limit_is_a_409_and_a_deletion_makes_room(client, other, monkeypatch):
    monkeypatch.setattr(store, "MAX_CREDENTIALS", 3)
    ids = [client.store()["id"] for _ in range(3)]
    for _ in range(2):
        answer = client.call("POST", PATH, json={"credentials": credentials()})
        assert (answer.status_code, answer.json["code"]) == (409, "credentials_limit_reached")
        assert answer.json["limit"] == 3
    other.store()
    assert client.patch(ids[1], {"name": "x"}).status_code == 200
    assert client.delete(ids[0]) == 204
    client.store()
    assert client.call("POST", PATH, json={"credentials": credentials()}).status_code == 409


PROCESS = """
import sys
from app.credentials.cipher import Cipher
from app.credentials.service import open_credentials
from app.credentials import store
from app.credentials.tokens import DatabaseTokens
from app.storage.database import Database
from app.web.problems import Problem
from vendors.kit.vendor import Vendor
from vendors.kit.variants import Variant

class Plugin(Vendor):
    variants = [Variant("apikey", {"apiKey": "key"})]

url, client_id = sys.argv[1:]
store.MAX_CREDENTIALS = 30
database = Database(url)
cipher = Cipher(["c" * 32])
stored = open_credentials(database, cipher, DatabaseTokens(database, cipher), {"x": Plugin}, lambda: 0.0).store
print("ready", flush=True)
sys.stdin.readline()
made = 0
for _ in range(25):
    try:
        stored.create(client_id, None, {"vendor": "x", "type": "apikey", "apiKey": "k"})
        made += 1
    except Problem as problem:
        assert problem.code == "credentials_limit_reached"
print(made)
database.close()
"""


@pytest.mark.exhaustive
def test_two_processes_at_the_limit_never_store_one_more(app, settings, client):
    command = [sys.executable, "-c", PROCESS, settings.database_url, client.id]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as first, subprocess.Popen(command, **pipes) as second:
        for process in (first, second):
            assert process.stdout.readline() == "ready\n"
        for process in (first, second):
            process.stdin.write("\n")
            process.stdin.flush()
        made = [int(process.stdout.read()) for process in (first, second)]
    assert sum(made) == rows(app) == 30


def test_no_patch_of_several_at_once_is_lost(app, settings, start_service, client):
    id = client.store("enphase", "partnerapp")["id"]
    callers = [client, *(Caller(start_service(replace(settings)), "production", auth=client.auth) for _ in range(2))]
    members = credentials("enphase", "partnerapp").keys() - {"vendor", "type"}
    with ThreadPoolExecutor(3) as pool:
        for number in range(5):
            patches = [{"credentials": {member: f"{member}{number}"}} for member in members]
            answers = pool.map(lambda caller, patch: caller.patch(id, patch), callers, patches)
            assert [answer.status_code for answer in answers] == [200] * 3
            expected = {member: f"{member}{number}" for member in members}
            assert client.secrets(id) == {"vendor": "enphase", "type": "partnerapp"} | expected


def test_revoking_a_client_deletes_what_it_stored_and_prints_the_counts(app, client, other):
    ids = [client.store()["id"] for _ in range(3)]
    kept = other.store()["id"]
    for id in (*ids, kept):
        assert services(app).credentials.tokens.lease(id, "me", 60)
    result = run(app, "clients", "revoke", client.id)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["deleted"]["vendor_credentials"] == 3
    assert other.list()[0]["id"] == kept
    assert (rows(app), rows(app, VendorTokenRow)) == (1, 1)


def test_a_revoked_client_whose_request_was_let_in_stores_nothing(app, client):
    client.list()
    id = client.store()["id"]
    services(app).clients._ledger.hold = lambda *arguments: None
    services(app).clients.revoke(client.id)
    for call in (
        partial(client.call, "POST", PATH, json={"credentials": credentials()}),
        partial(client.patch, id, {"name": "x"}),
        partial(client.call, "DELETE", f"{PATH}/{id}"),
    ):
        answer = call()
        assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")
    assert rows(app) == 0


def test_a_change_that_fails_changes_nothing(app, client, monkeypatch):
    id = client.store(name="roof")["id"]

    def failing(session, row):
        raise Problem(500, "internal_server_error", "")

    monkeypatch.setattr(store, "_default_name", failing)
    assert client.patch(id, {"credentials": {"clientSecret": "new"}, "name": None}).status_code == 500
    assert client.secrets(id) == credentials()
    assert client.read(id)["name"] == "roof"
