"""The breaker: opens on a vendor's outage, never on one customer's fault, and probes with one call at a time."""

import weakref

import pytest
import requests

from tests.vendors.support import BASE, cloud_of, open_vendor
from vendors.kit.calls.breaker import FAULTS, OPEN_SECONDS, WITNESSES, Breaker
from vendors.kit.calls.sweep import Sweep
from vendors.kit.errors import VendorDown


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def breaker(now):
    return Breaker(clock=lambda: now[0])


def is_open(breaker):
    try:
        breaker.check("url", timeout=20)
    except VendorDown:
        return True
    return False


def down(breaker):
    for number in range(FAULTS):
        breaker.failed(bytes([number % 2]))


def test_faults_that_two_credentials_saw_open_it(breaker):
    down(breaker)
    assert is_open(breaker)


def test_faults_that_one_credential_saw_never_open_it(breaker):
    for _ in range(10 * FAULTS):
        breaker.failed(b"one customer's broken site")
    assert not is_open(breaker)


def test_the_breaker_holds_a_bounded_number_of_credentials_during_a_long_outage(breaker):
    class Witness:
        pass

    held = weakref.WeakSet()
    for _ in range(1000):
        witness = Witness()
        held.add(witness)
        breaker.failed(witness)
    del witness
    assert len(held) == WITNESSES


def test_failed_connections_open_it_even_with_one_credential(breaker):
    for _ in range(FAULTS):
        breaker.unreachable()
    assert is_open(breaker)


def test_fewer_faults_do_not_open_it(breaker):
    for number in range(FAULTS - 1):
        breaker.failed(bytes([number]))
    assert not is_open(breaker)


def test_a_success_resets_the_count_of_faults(breaker):
    for number in range(10 * FAULTS):
        breaker.failed(bytes([number % 7]))
        breaker.succeeded()
    assert not is_open(breaker)


def test_a_refusal_states_when_the_next_probe_may_pass(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS - 4
    with pytest.raises(VendorDown) as refused:
        breaker.check("url", timeout=20)
    assert refused.value.retry_after == 4


def test_after_the_open_time_one_call_passes_as_a_probe_and_no_other(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert [is_open(breaker) for _ in range(5)] == [False, True, True, True, True]


def test_a_successful_probe_closes_it(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert not is_open(breaker)
    breaker.succeeded()
    assert [is_open(breaker) for _ in range(5)] == [False] * 5


def test_a_failed_probe_keeps_it_open(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert not is_open(breaker)
    breaker.failed(b"one", is_probe=True)
    assert is_open(breaker)
    now[0] += OPEN_SECONDS
    assert not is_open(breaker)


def test_an_older_call_that_fails_during_a_probe_does_not_let_a_second_probe_pass(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert breaker.check("url", timeout=20)
    breaker.failed(b"one")
    now[0] += OPEN_SECONDS
    assert is_open(breaker)


def test_refuse_does_not_count_as_the_probe(breaker, now):
    down(breaker)
    with pytest.raises(VendorDown):
        breaker.refuse("url")
    now[0] += OPEN_SECONDS
    breaker.refuse("url")
    assert breaker.check("url", timeout=20) is True


def test_a_probe_without_an_outcome_blocks_only_for_its_timeout(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert not is_open(breaker)
    now[0] += 20
    assert not is_open(breaker)


def swept(cloud, token):
    sweep = Sweep(open_vendor("sma", cloud=cloud, headers={"X-Authorization-sma": f"Bearer {token}"}))
    sweep.run(lambda vendor: vendor.devices())
    return sweep


@pytest.mark.parametrize("answer", [{"status": 500}, {"body": requests.ReadTimeout()}], ids=["500", "timeout"])
def test_an_outage_that_two_customers_see_ends_the_calls(network, answer):
    network.get(BASE + "/v1/plants", **answer)
    cloud = cloud_of("sma")
    for number in range(2 * FAULTS):
        swept(cloud, number % 2)
    calls = len(network.calls)
    failure = swept(cloud, 3).failure
    assert (failure.code, len(network.calls)) == ("vendor_down", calls)
    assert 0 < failure.retry_after <= OPEN_SECONDS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_a_4xx_status_never_opens_it(network, status):
    network.get(BASE + "/v1/plants", status=status)
    cloud = cloud_of("sma")
    for number in range(4 * FAULTS):
        assert swept(cloud, number).failure.code != "vendor_down"


def test_one_broken_site_among_healthy_ones_does_not_open_it(network):
    network.get(BASE + "/v1/plants", json={"plants": [{"plantId": "1"}, {"plantId": "2"}]})
    network.get(BASE + "/v1/plants/1/devices/lean", json={"devices": []})
    network.get(BASE + "/v1/plants/2/devices/lean", status=500)
    cloud = cloud_of("sma")
    for number in range(4 * FAULTS):
        assert swept(cloud, number).failure.code == "backend_error"
