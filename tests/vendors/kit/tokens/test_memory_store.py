"""The token store of notebooks and tests: tokens that age, and leases that end."""

from tests.vendors.kit.tokens.clocks import Clock
from vendors.kit.tokens.memory import MemoryTokenStore
from vendors.kit.tokens.store import Token

TOKEN = Token("made-up-token", 300.0, made_with="hash")


def store_and_clock():
    clock = Clock()
    return MemoryTokenStore(clock), clock


def test_a_stored_token_has_the_seconds_that_it_has_left():
    store, clock = store_and_clock()
    assert store.read("1") is None
    assert store.lease("1", "a", 10)
    assert store.write("1", "a", TOKEN)
    clock.now += 301
    assert store.read("1") == Token("made-up-token", -1.0, made_with="hash")
    assert store.read("2") is None


def test_one_renewal_at_a_time_has_the_lease():
    store, clock = store_and_clock()
    assert store.lease("1", "a", 10)
    assert not store.lease("1", "b", 10)
    assert store.lease("2", "b", 10)
    clock.now += 10
    assert store.lease("1", "b", 10)


def test_a_renewal_that_has_lost_its_lease_stores_nothing():
    store, clock = store_and_clock()
    store.lease("1", "a", 10)
    clock.now += 10
    store.lease("1", "b", 10)
    assert not store.write("1", "a", TOKEN)
    assert store.read("1") is None


def test_a_late_token_is_kept_as_long_as_the_lease_was_not_taken():
    store, clock = store_and_clock()
    store.lease("1", "a", 10)
    clock.now += 11
    assert store.write("1", "a", TOKEN)
    assert store.read("1").access == TOKEN.access


def test_a_lease_ends_with_the_token_or_when_its_holder_gives_it_up():
    store, _ = store_and_clock()
    store.lease("1", "a", 10)
    store.write("1", "a", TOKEN)
    assert store.lease("1", "b", 10)
    store.release("1", "a")
    assert not store.lease("1", "c", 10)
    store.release("1", "b")
    assert store.lease("1", "c", 10)


def test_a_token_appears_in_no_repr():
    assert "made-up-token" not in repr(TOKEN)
