"""Threads and processes that share a store: one renewal at a time, and no token lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.vendors.kit.tokens.world import LIFETIME, ROOF, SECRET, URL, World, credential
from vendors.kit import BackendError, Timeout
from vendors.kit.errors import Busy
from vendors.kit.tokens.memory import MemoryTokenStore
from vendors.kit.tokens.renewal import (
    LEASE_SECONDS,
    MARGIN_SECONDS,
    POLL_SECONDS,
)
from vendors.kit.tokens.store import Token


@pytest.fixture
def world():
    return World()


def test_another_process_uses_the_stored_token_and_sees_its_renewal(world):
    other = world.process()
    assert world.get() == world.get(other) == "token-1"
    world.clock.now += LIFETIME - MARGIN_SECONDS
    assert world.get(other) == world.get() == "token-2"
    assert world.endpoint.calls == 2


def test_a_token_that_lost_its_lease_is_not_used(world):
    def slow():
        world.clock.now += LEASE_SECONDS
        assert world.store.lease("1", "another renewal", LEASE_SECONDS)

    world.endpoint.during = slow
    with pytest.raises(Busy) as raised:
        world.get()
    assert "token-1" not in raised.value.detail
    assert world.store.read("1") is None


def test_changed_secrets_get_a_new_token_in_every_process(world):
    old, new = ROOF, credential(secret="another")
    other = world.process()
    assert world.get() == world.get(other) == "token-1"
    assert world.get(credential=new) == "token-2"
    assert world.get(other, credential=new) == "token-2"
    late = world.process()
    assert world.get(late, credential=old) == "token-3"


def test_a_failed_renewal_gives_its_lease_back(world):
    world.endpoint.failure = BackendError(URL)
    with pytest.raises(BackendError):
        world.get()
    assert world.store.lease("1", "next", LEASE_SECONDS)


def test_a_refused_token_that_another_process_has_replaced_is_not_renewed_again(world):
    other = world.process()
    refused = world.get()
    world.get(other)
    world.replace(refused, other)
    assert world.replace(refused) is True
    assert (world.get(), world.endpoint.calls) == ("token-2", 2)


def test_while_no_renewal_is_due_a_newer_token_of_another_process_is_used(world):
    other = world.process()
    world.replace(world.get())
    refused = world.get(other)
    assert world.replace(refused, other) is True
    assert world.replace(refused) is True
    assert (world.get(), world.endpoint.calls) == ("token-3", 3)


def test_equal_calls_of_one_process_share_one_renewal(world):
    begun, may_end = threading.Event(), threading.Event()

    def wait_for_others():
        begun.set()
        assert may_end.wait(60)

    def poll(seconds):
        raise AssertionError("a call waits at the store for a renewal of its own process")

    world.endpoint.during = wait_for_others
    source = world.process(wait=poll)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(world.get, source)
        assert begun.wait(60)
        others = [pool.submit(world.get, source) for _ in range(8)]
        may_end.set()
        assert {future.result(60) for future in (first, *others)} == {"token-1"}
    assert world.endpoint.calls == 1


def test_a_renewal_that_ended_just_before_the_lease_is_seen(world):
    class Contested(MemoryTokenStore):
        """The first to ask for the lease gets it when another process has just ended its renewal."""

        other = None

        def lease(self, row, holder, seconds):
            other, self.other = self.other, None
            if other:
                world.get(other)
            return super().lease(row, holder, seconds)

    world.store = Contested(world.clock)
    world.store.other = world.process()
    assert (world.get(world.process()), world.endpoint.calls) == ("token-1", 1)


def test_threads_of_many_processes_renew_one_at_a_time_and_lose_no_token(world):
    processes = [world.process(wait=lambda seconds: None) for _ in range(4)]
    expiries = 25
    with ThreadPoolExecutor(16) as pool:
        for number in range(1, expiries + 1):
            tokens = set(pool.map(world.get, processes * 4))
            assert tokens == {f"token-{number}"}
            world.clock.now += LIFETIME
    assert world.endpoint.calls == expiries


def test_a_waiter_takes_over_when_the_process_with_the_lease_has_died(world):
    world.store.lease("1", "a process that was killed", LEASE_SECONDS)
    assert world.get() == "token-1"
    assert sum(world.clock.waits) == LEASE_SECONDS
    assert set(world.clock.waits) == {POLL_SECONDS}


def test_a_waiter_uses_the_token_of_the_other_renewal_as_soon_as_it_is_there(world):
    key = replace(Token("token-of-other", LIFETIME), made_with=ROOF.parts_hash(SECRET).hex())
    world.store.lease("1", "other", LEASE_SECONDS)

    def wait(seconds):
        world.clock.wait(seconds)
        if len(world.clock.waits) == 3:
            world.store.write("1", "other", key)

    assert world.get(world.process(wait=wait)) == "token-of-other"
    assert (len(world.clock.waits), world.endpoint.calls) == (3, 0)


def test_a_waiter_gives_up_at_its_deadline(world):
    world.store.lease("1", "other", LEASE_SECONDS)
    with pytest.raises(Timeout) as raised:
        world.get(seconds=POLL_SECONDS / 2)
    assert (raised.value.url, world.clock.waits) == (URL, [])


def test_a_renewal_under_way_elsewhere_delays_no_call_while_the_token_is_valid(world):
    world.get()
    world.clock.now += LIFETIME - MARGIN_SECONDS
    world.store.lease("1", "other", LEASE_SECONDS)
    assert world.get() == world.get(world.process()) == "token-1"
    assert (world.clock.waits, world.endpoint.calls) == ([], 1)
