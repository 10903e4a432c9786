"""Places of a vendor: bounded in all, and for one credential."""

import threading

from vendors.kit.calls.bulkhead import Bulkhead


def test_places_are_taken_and_given_back():
    places = Bulkhead(2, 2)
    assert places.acquire(b"a")
    assert places.acquire(b"b")
    assert not places.acquire(b"c")
    assert places.taken == 2
    places.release(b"a")
    assert places.acquire(b"c")


def test_one_credential_never_takes_them_all():
    places = Bulkhead(4, 2)
    assert [places.acquire(b"a") for _ in range(3)] == [True, True, False]
    assert places.acquire(b"b")


def test_who_waits_gets_the_place_that_is_given_back():
    places = Bulkhead(1, 1)
    places.acquire(b"a")
    threading.Timer(0.05, places.release, (b"a",)).start()
    assert places.acquire(b"b", seconds=5)


def test_nothing_stays_of_credentials_that_have_gone():
    places = Bulkhead(2, 2)
    for number in range(1000):
        owner = str(number).encode()
        assert places.acquire(owner)
        places.release(owner)
    assert not places._taken
