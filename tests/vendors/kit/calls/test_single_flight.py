"""Equal calls at the same time are one call."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.vendors.support import BASE, HEADERS, cloud_of, open_vendor
from vendors.kit import BackendError
from vendors.kit.calls.single_flight import Flights
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline


def together(flights, count, call, keys=lambda number: b"k"):
    """Outcomes of `count` calls that are all under way before the first ends."""
    arrived = threading.Barrier(count + 1, timeout=60)
    outcomes = []

    def one(number):
        arrived.wait()
        try:
            outcomes.append(flights.share(keys(number), call, Deadline(5)))
        except BackendError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    arrived.wait()
    for thread in threads:
        thread.join(5)
    return outcomes


def held(flights, made, result):
    """A call that ends only when nobody new can join: it waits until all others wait for it."""

    def call():
        made.append(1)
        threading.Event().wait(0.2)
        if isinstance(result, Exception):
            raise result
        return result

    return call


def test_fifty_equal_calls_at_once_are_one_call():
    made = []
    flights = Flights()
    assert together(flights, 50, held(flights, made, "reply")) == ["reply"] * 50
    assert len(made) == 1


def test_all_share_one_failure_and_nobody_tries_again():
    made, failure = [], BackendError("url")
    flights = Flights()
    assert together(flights, 50, held(flights, made, failure)) == [failure] * 50
    assert len(made) == 1


def test_calls_of_different_keys_do_not_wait_for_each_other():
    made = []
    flights = Flights()
    together(flights, 5, held(flights, made, "reply"), keys=lambda number: bytes([number]))
    assert len(made) == 5


def test_after_it_has_landed_the_next_call_is_made_anew():
    made = []
    flights = Flights()
    for _ in range(2):
        flights.share(b"k", lambda: made.append(1), Deadline(5))
    assert len(made) == 2


def test_who_waits_for_another_s_call_keeps_its_own_deadline():
    flights, ended = Flights(), threading.Event()
    leader = threading.Thread(target=flights.share, args=(b"k", lambda: ended.wait(5), Deadline(5)))
    leader.start()
    while not flights._under_way:
        threading.Event().wait(0.001)
    with pytest.raises(TimeoutError):
        flights.share(b"k", lambda: None, Deadline(0.05))
    ended.set()
    leader.join(5)


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
