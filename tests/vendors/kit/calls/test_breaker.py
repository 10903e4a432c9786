"""The breaker: opens on a vendor's outage, never on one customer's trouble, and probes with one call at a time."""

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


def test_a_long_outage_does_not_collect_everybody_who_saw_it(breaker):
    for number in range(1000):
        breaker.failed(str(number).encode())
    assert len(breaker._witnesses) == WITNESSES


def test_a_host_that_nobody_reaches_opens_it_whoever_calls(breaker):
    for _ in range(FAULTS):
        breaker.unreachable()
    assert is_open(breaker)


def test_fewer_faults_do_not_open_it(breaker):
    for number in range(FAULTS - 1):
        breaker.failed(bytes([number]))
    assert not is_open(breaker)


def test_an_answer_in_between_starts_the_count_again(breaker):
    for number in range(10 * FAULTS):
        breaker.failed(bytes([number % 7]))
        breaker.succeeded()
    assert not is_open(breaker)


def test_the_hint_says_when_it_will_be_asked_again(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS - 4
    with pytest.raises(VendorDown) as refused:
        breaker.check("url", timeout=20)
    assert refused.value.retry_after == 4


def test_after_its_time_one_call_passes_as_a_probe_and_no_other(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert [is_open(breaker) for _ in range(5)] == [False, True, True, True, True]


def test_a_probe_that_is_answered_closes_it_for_all(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert not is_open(breaker)
    breaker.succeeded()
    assert [is_open(breaker) for _ in range(5)] == [False] * 5


def test_a_probe_that_fails_opens_it_again(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert not is_open(breaker)
    breaker.failed(b"one", is_probe=True)
    assert is_open(breaker)
    now[0] += OPEN_SECONDS
    assert not is_open(breaker)


def test_an_older_call_that_fails_meanwhile_lets_no_second_probe_pass(breaker, now):
    down(breaker)
    now[0] += OPEN_SECONDS
    assert breaker.check("url", timeout=20)
    breaker.failed(b"one")
    now[0] += OPEN_SECONDS
    assert is_open(breaker)


def test_looking_whether_it_is_open_takes_no_probe(breaker, now):
    down(breaker)
    with pytest.raises(VendorDown):
        breaker.refuse("url")
    now[0] += OPEN_SECONDS
    breaker.refuse("url")
    assert breaker.check("url", timeout=20) is True


def test_a_probe_that_is_never_heard_of_again_does_not_block_for_ever(breaker, now):
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
def test_refusals_are_no_outage(network, status):
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
