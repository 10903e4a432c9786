"""Equal calls at the same time are one call."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.vendors.support import BASE, HEADERS, cloud_of, open_vendor
from vendors.kit import BackendError
from vendors.kit.calls.single_flight import SingleFlight
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline


class Waiters:
    """A deadline whose waiters are counted: single flight asks it for the time left when it begins to wait."""

    def __init__(self, count):
        self.all_wait = threading.Event()
        self._count, self._lock = count, threading.Lock()
        if not count:
            self.all_wait.set()

    def left(self):
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self.all_wait.set()
        return 60.0


def together(flights, count, outcome, keys=lambda number: b"k"):
    """Outcomes of concurrent calls, and how many were made. A call ends only when all others wait for its key."""
    waiters = Waiters(count - len({keys(number) for number in range(count)}))
    calls = []

    def call():
        calls.append(1)
        assert waiters.all_wait.wait(60)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def share(number):
        try:
            return flights.share(keys(number), call, waiters)
        except BackendError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(share, range(count))), len(calls)


def test_fifty_equal_calls_at_once_are_one_call():
    assert together(SingleFlight(), 50, "reply") == (["reply"] * 50, 1)


def test_all_waiters_share_one_failure_and_no_waiter_tries_again():
    failure = BackendError("url")
    assert together(SingleFlight(), 50, failure) == ([failure] * 50, 1)


def test_calls_of_different_keys_do_not_wait_for_each_other():
    assert together(SingleFlight(), 5, "reply", keys=lambda number: bytes([number])) == (["reply"] * 5, 5)


def test_after_a_call_has_ended_an_equal_call_is_made_again():
    calls = []
    flights = SingleFlight()
    for _ in range(2):
        flights.share(b"k", lambda: calls.append(1), Deadline(5))
    assert len(calls) == 2


def test_a_waiter_keeps_its_own_deadline():
    flights, began, ended = SingleFlight(), threading.Event(), threading.Event()

    def call():
        began.set()
        ended.wait(60)

    leader = threading.Thread(target=flights.share, args=(b"k", call, Deadline(60)))
    leader.start()
    assert began.wait(60)
    with pytest.raises(TimeoutError):
        flights.share(b"k", lambda: None, Deadline(0.05))
    ended.set()
    leader.join(60)


def test_fifty_equal_sweeps_at_once_make_one_set_of_calls(network):
    network.get(BASE + "/v1/plants", json={"plants": [{"plantId": "1"}]})
    network.get(BASE + "/v1/plants/1/devices/lean", json={"devices": []})
    cloud = cloud_of("sma")

    def sweep(_):
        swept = Sweep(open_vendor("sma", cloud=cloud))
        swept.run(lambda vendor: vendor.devices())
        return swept.failure

    with ThreadPoolExecutor(50) as threads:
        assert list(threads.map(sweep, range(50))) == [None] * 50
    assert len(network.calls) == 2


def test_two_credentials_never_share_a_call(network):
    network.get(BASE + "/v1/plants", json={"plants": []})
    cloud = cloud_of("sma")

    def sweep(number):
        list(open_vendor("sma", cloud=cloud, headers={"X-Authorization-sma": f"Bearer {number}"}).sites())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(sweep, range(8)))
    sent = {call.request.headers["Authorization"] for call in network.calls}
    assert sent == {f"Bearer {number}" for number in range(8)}
    assert HEADERS["sma"]["X-Authorization-sma"] not in sent
