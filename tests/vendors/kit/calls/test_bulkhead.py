"""Places of a vendor: bounded in all, and for one credential."""

import threading

from vendors.kit.calls.bulkhead import Bulkhead


def test_slots_are_acquired_and_released():
    places = Bulkhead(2, 2)
    assert places.acquire(b"a")
    assert places.acquire(b"b")
    assert not places.acquire(b"c")
    assert places.taken == 2
    places.release(b"a")
    assert places.acquire(b"c")


def test_one_credential_never_takes_all_slots():
    places = Bulkhead(4, 2)
    assert [places.acquire(b"a") for _ in range(3)] == [True, True, False]
    assert places.acquire(b"b")


def test_a_waiter_gets_the_released_slot():
    places = Bulkhead(1, 1)
    places.acquire(b"a")
    threading.Timer(0.05, places.release, (b"a",)).start()
    assert places.acquire(b"b", seconds=5)


def test_owners_without_slots_are_forgotten():
    places = Bulkhead(2, 2)
    for number in range(1000):
        owner = str(number).encode()
        assert places.acquire(owner)
        places.release(owner)
    assert not places._taken
