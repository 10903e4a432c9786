"""The bulkhead: bounds the slots in use, in all and for each owner."""

import threading
import weakref

from vendors.kit.calls.bulkhead import Bulkhead


def test_slots_are_acquired_and_released():
    bulkhead = Bulkhead(2, 2)
    assert bulkhead.acquire(b"a")
    assert bulkhead.acquire(b"b")
    assert not bulkhead.acquire(b"c")
    assert bulkhead.taken == 2
    bulkhead.release(b"a")
    assert bulkhead.acquire(b"c")


def test_one_credential_never_takes_all_slots():
    bulkhead = Bulkhead(4, 2)
    assert [bulkhead.acquire(b"a") for _ in range(3)] == [True, True, False]
    assert bulkhead.acquire(b"b")


def test_a_waiter_gets_the_released_slot():
    bulkhead = Bulkhead(1, 1)
    bulkhead.acquire(b"a")
    threading.Timer(0.05, bulkhead.release, (b"a",)).start()
    assert bulkhead.acquire(b"b", seconds=60)


def test_the_bulkhead_holds_no_reference_to_owners_without_slots():
    class Owner:
        pass

    bulkhead, owner = Bulkhead(2, 2), Owner()
    remains = weakref.ref(owner)
    assert bulkhead.acquire(owner)
    bulkhead.release(owner)
    del owner
    assert remains() is None
