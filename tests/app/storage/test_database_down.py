"""A Postgres that is down at the start, stops later, or does not answer at all."""

import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.auth.clients import CACHE_SECONDS
from app.storage.database import READ_SECONDS, Database, IdTableRow
from tests.app.support import ALL, V2, ids_of
from tests.databases import postgres_server

# Added to each expected duration, for a busy machine. Without a bound, these calls would wait for a minute and more.
GRACE = 8.0


@pytest.fixture
def server():
    """A separate server for each test, which stops it."""
    with postgres_server() as server:
        yield server


class Caller:
    """A service on a database that may be down, and a client that it has seen before."""

    def __init__(self, settings, url, start_service):
        database = Database(url)
        database.upgrade()
        database.close()
        self.now = 0.0
        self._start_service, self.settings = start_service, replace(settings, database_url=url, embedded=False)
        self.app = start_service(self.settings, clock=lambda: self.now)
        self.http = self.app.test_client()
        self.auth = self.app.extensions["services"].clients.create("test", "production", "v1")
        self.token = self.ask_for_token().json["access_token"]

    def ask_for_token(self):
        return self.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=self.auth)

    def get(self, path="/solar-inverters", **headers):
        return self.http.get(path, headers={"Authorization": f"Bearer {self.token}"} | ALL | headers)

    def forget_client(self):
        """Lets the time pass after which a client is looked up again."""
        self.now += CACHE_SECONDS

    def in_another_process(self):
        """The same service with an empty memory: it has not seen the client."""
        return self._start_service(self.settings)


def timed(call):
    started = time.monotonic()
    return call(), time.monotonic() - started


def test_lists_are_served_while_the_database_is_stopped_and_all_is_well_once_it_is_back(
    server, settings, start_service, clouds
):
    caller = Caller(settings, server.url(), start_service)
    first = caller.get().json
    assert first["errors"] == {}
    server.stop()
    caller.forget_client()
    answer, took = timed(caller.get)
    assert (answer.status_code, answer.json) == (200, first)
    assert took < GRACE
    elsewhere = caller.in_another_process().test_client()
    for refused in (caller.ask_for_token(), elsewhere.get("/solar-inverters", headers=bearer(caller))):
        assert refused.status_code == 503
        assert refused.json["code"] == "database_unavailable"
        assert refused.headers["Retry-After"] == "5"
    assert caller.http.get("/ready").json["database"] == "unavailable"
    id = ids_of(caller.get("/solar-inverters?vendor=sma"))[0]
    assert caller.get(f"/solar-inverters/{id}").status_code == 200, "found by asking the vendor"
    server.start()
    assert caller.ask_for_token().status_code == 200
    assert caller.http.get("/ready").json["database"] == "ok"
    assert caller.get().json == first


def bearer(caller):
    return {"Authorization": f"Bearer {caller.token}"} | ALL


@pytest.mark.exhaustive
def test_ids_seen_while_the_database_was_down_are_written_once_it_is_back(server, settings, start_service, clouds):
    caller = Caller(settings, server.url(), start_service)
    caller.get("/solar-inverters?vendor=tesla")
    server.stop()
    seen = ids_of(caller.get())
    server.start()
    assert ids_of(caller.get()) == seen
    database = caller.app.extensions["services"].database
    assert [database.get(IdTableRow, id).id for id in seen] == seen


@pytest.mark.exhaustive
def test_a_service_starts_without_its_database_and_finds_it_later(server, settings, start_service, clouds):
    caller = Caller(settings, server.url(), start_service)
    server.stop()
    late = caller.in_another_process()
    assert late.test_client().get("/solar-inverters", headers=bearer(caller)).status_code == 503
    server.start()
    assert late.test_client().get("/solar-inverters", headers=bearer(caller)).status_code == 200


@pytest.mark.exhaustive
def test_a_suspended_database_costs_a_request_two_seconds_at_most(server, settings, start_service, clouds):
    caller = Caller(settings, server.url(), start_service)
    first = caller.get().json
    backends = [server.pid, *children(server.pid)]
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    try:
        caller.forget_client()
        answer, took = timed(caller.get)
        assert (answer.status_code, answer.json) == (200, first)
        assert took < READ_SECONDS + GRACE
        answer, took = timed(caller.get)
        assert answer.status_code == 200
        assert took < GRACE, "it is not queried again at once"
        answer, took = timed(caller.ask_for_token)
        assert answer.status_code == 503
        assert took < READ_SECONDS + GRACE
        assert timed(lambda: caller.http.get("/ready"))[1] < READ_SECONDS + GRACE
    finally:
        for pid in backends:
            os.kill(pid, signal.SIGCONT)
    ends = time.monotonic() + 10
    while caller.ask_for_token().status_code != 200:
        assert time.monotonic() < ends
    assert caller.get(**V2).status_code == 200


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_database_that_accepts_connections_and_never_answers_is_a_503_in_time(settings, start_service):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://user:password@127.0.0.1:{silent.getsockname()[1]}/name"
        app = start_service(replace(settings, database_url=url, embedded=False))
        form = {"grant_type": "client_credentials"}
        answer, took = timed(lambda: app.test_client().post("/oauth2/token", data=form, auth=("0" * 32, "secret")))
    assert answer.status_code == 503
    assert "password" not in answer.text
    assert took < READ_SECONDS + GRACE
