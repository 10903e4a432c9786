"""Commands: origins of a client, encryption with a new key, and the deletion of what is over."""

import json
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.credentials.cipher import Cipher
from app.storage.join_tables import JoinAttemptRow, JoinFlowRow, JoinOriginRow, JoinSessionRow
from app.storage.retention import prune
from tests.app.credentials.support import Caller

INLINE = {"clientID": "made-up", "clientSecret": "sesame"}
TESLA = {"vendor": "tesla", "credentials": INLINE}
FLOW = {"vendors": [TESLA], "redirectURI": "https://www.example.org/"}


@pytest.fixture
def client(app):
    return Caller(app, "production")


def run(app, *arguments):
    result = app.test_cli_runner().invoke(args=arguments)
    return result.exit_code, result.output


def rows(app, table):
    with app.extensions["services"].database.session() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_origins_are_added_listed_and_removed(app, client):
    code, output = run(app, "clients", "origins", "add", client.id, "https://shop.example.org")
    assert (code, json.loads(output)["origins"]) == (0, ["https://shop.example.org"])
    run(app, "clients", "origins", "add", client.id, "https://shop.example.org")
    run(app, "clients", "origins", "add", client.id, "http://localhost:3000")
    code, output = run(app, "clients", "origins", "list", client.id)
    assert json.loads(output)["origins"] == ["http://localhost:3000", "https://shop.example.org"]
    code, output = run(app, "clients", "origins", "remove", client.id, "http://localhost:3000")
    assert json.loads(output) == {"client_id": client.id, "origins": ["https://shop.example.org"]}
    assert run(app, "clients", "origins", "remove", client.id, "http://localhost:3000")[0] == 1
    assert run(app, "clients", "origins", "list", "0" * 32)[0] == 1


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://*.example.org",
        "https://shop.example.org/",
        "https://shop.example.org/page",
        "http://shop.example.org",
        "https://SHOP.example.org",
        "https://shop.example.org:443",
        "https://user@shop.example.org",
        "shop.example.org",
        "https://",
        "https://[",
    ],
)
def test_what_no_browser_sends_as_an_origin_is_refused(app, client, origin):
    assert run(app, "clients", "origins", "add", client.id, origin)[0] == 2
    assert rows(app, JoinOriginRow) == 0


def test_secrets_of_flows_are_encrypted_with_the_newest_key(app, client, settings, start_service):
    id = client.call("POST", "/join/flows", json=FLOW).json["id"]
    later = start_service(replace(settings, credential_keys=("n" * 32, *settings.credential_keys)))
    code, output = run(later, "credentials", "rotate")
    assert (code, json.loads(output[output.index("{") :])["encrypted"]["join_flows"]) == (0, 1)
    flow = later.extensions["services"].join.flows.of_any_client(id)
    assert flow.key_id == Cipher(["n" * 32]).key_ids[0]
    answer = later.test_client().get(f"/join/flows/{id}/authorize?vendor=tesla")
    assert (answer.status_code, "client_id=made-up" in answer.location) == (302, True)


def test_flows_whose_key_is_lost_are_deleted_with_it(app, client, settings):
    client.call("POST", "/join/flows", json=FLOW)
    kept = client.call("POST", "/join/flows", json={**FLOW, "vendors": [{"vendor": "solis"}]}).json["id"]
    services = app.extensions["services"]
    lost = replace(services.join, rotation=type(services.join.rotation)(services.database, Cipher(["n" * 32])))
    assert lost.rotation.discard() == 1
    assert [flow["id"] for flow in client.get("/join/flows").json["joinFlows"]] == [kept]


def test_what_is_over_is_pruned(app, client):
    body = {"storeCredentials": True, "vendors": [TESLA]}
    started = client.call("POST", "/join/session/start", json=body).json
    flow = client.call("POST", "/join/flows", json=FLOW).json
    http = app.test_client()
    assert http.get(f"/join/session/{started['sessionID']}/authorize?vendor=tesla").status_code == 302
    assert http.get(f"{flow['link']}?vendor=tesla").status_code == 302
    tables, now = (JoinSessionRow, JoinAttemptRow, JoinFlowRow), int(time.time())
    for passed, expected in ((0, [1, 2, 1]), (610, [0, 1, 1]), (4300, [0, 0, 1])):
        with app.extensions["services"].database.session() as session:
            prune(session, now + passed)
        assert [rows(app, table) for table in tables] == expected


def test_all_that_belongs_to_a_client_ends_with_it(app, client):
    client.call("POST", "/join/session/start", json={"storeCredentials": True, "vendors": [TESLA]})
    flow = client.call("POST", "/join/flows", json=FLOW).json
    app.test_client().get(f"{flow['link']}?vendor=tesla")
    app.extensions["services"].join.origins.add(client.id, "https://shop.example.org")
    assert run(app, "clients", "revoke", client.id)[0] == 0
    assert [rows(app, table) for table in (JoinSessionRow, JoinAttemptRow, JoinFlowRow, JoinOriginRow)] == [0] * 4
