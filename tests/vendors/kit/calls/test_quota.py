"""The quota: a held limit group makes no calls, and calls over a known rate are refused before they are made."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.vendors.support import BASE, cloud_of, open_vendor
from vendors.kit import Rate, RateLimited
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.ledger import GROUPS, Ledger
from vendors.kit.calls.quota import FIRST_HOLD_SECONDS, Quota
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy
from vendors.kit.registry import discover

PLANTS = BASE + "/v1/plants"


@pytest.fixture
def now():
    return [1_000_000.0]


def quota_of(now, rate=None, parallel=4, slept=None):
    def sleep(seconds):
        (slept if slept is not None else []).append(seconds)
        now[0] += seconds

    return Quota("sma", parallel, rate, clock=lambda: now[0], sleep=sleep)


def spend(quota, group="group", seconds=20):
    with quota.spend(group, "url", Deadline(seconds)):
        pass


def test_a_held_group_makes_no_call_until_its_time(now):
    quota = quota_of(now)
    quota.hold("group", 30)
    with pytest.raises(RateLimited) as refused:
        spend(quota)
    assert refused.value.retry_after == 30
    spend(quota, "another")
    now[0] += 30
    spend(quota)


def test_a_shorter_hold_does_not_shorten_a_longer_one(now):
    quota = quota_of(now)
    quota.hold("group", 30)
    quota.hold("group", 5)
    now[0] += 6
    with pytest.raises(RateLimited):
        spend(quota)


def test_a_group_makes_no_more_concurrent_calls_than_allowed(now):
    quota = quota_of(now, parallel=1)
    with quota.spend("group", "url", Deadline(5)):
        with pytest.raises(Busy):
            spend(quota, seconds=0.05)
        spend(quota, "another")
    spend(quota)


def test_a_failed_call_releases_its_slot(now):
    quota = quota_of(now, parallel=1)
    for _ in range(3):
        with pytest.raises(KeyError), quota.spend("group", "url", Deadline(5)):
            raise KeyError


def test_a_hold_during_the_wait_for_a_slot_stops_the_call(now):
    quota = quota_of(now, parallel=1)
    refused = []

    def wait():
        try:
            spend(quota)
        except RateLimited as error:
            refused.append(error)

    with quota.spend("group", "url", Deadline(5)):
        waiting = threading.Thread(target=wait)
        waiting.start()
        quota.hold("group", 30)
    waiting.join(5)
    assert len(refused) == 1


@pytest.mark.parametrize("name", ["solaredge"])
def test_a_call_over_the_configured_rate_is_refused_with_the_time_to_wait(network, name):
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{"siteId": number} for number in range(9)]}})
    for number in range(9):
        network.get(f"{BASE}/v2/sites/{number}/devices", json=[{"type": "INVERTER", "serialNumber": str(number)}])
    cloud = cloud_of(name)
    limited = open_cloud(name, discover()[name], cloud.transport, cloud.reply_cache, BASE, Rate(5, 3600))
    sweep = Sweep(open_vendor(name, cloud=limited))
    sweep.run(lambda vendor: vendor.devices())
    assert len(network.calls) == 5, "the sixth was not made"
    assert sweep.failure.code == "rate_limited"
    assert 3500 < sweep.failure.retry_after <= 3600
    assert len(sweep.records) == 4


def test_after_a_429_its_group_makes_no_further_call(network):
    network.get(PLANTS, status=429, headers={"Retry-After": "30"})
    cloud = cloud_of("sma")
    for _ in range(5):
        with pytest.raises(RateLimited) as refused:
            list(open_vendor("sma", cloud=cloud).sites())
        assert 29 < refused.value.retry_after <= 30
    assert len(network.calls) == 1
    other = {"X-Authorization-sma": "Bearer another-account"}
    with pytest.raises(RateLimited):
        list(open_vendor("sma", cloud=cloud, headers=other).sites())
    assert len(network.calls) == 2


@pytest.fixture
def throttled(network):
    """A cloud that answers 429 without a hint, and its clock."""
    network.get(PLANTS, status=429)
    cloud, now = cloud_of("sma"), [1000.0]
    cloud.quota = Quota("sma", 4, None, Ledger(lambda: now[0]), clock=lambda: now[0])
    return cloud, now


def refusal(cloud, token="one"):
    with pytest.raises(RateLimited) as refused:
        list(open_vendor("sma", cloud=cloud, headers={"X-Authorization-sma": f"Bearer {token}"}).sites())
    return refused.value


def test_each_429_without_a_hint_holds_its_group_twice_as_long(network, throttled):
    cloud, now = throttled
    for number, seconds in enumerate([2, 4, 8, 16, 32, 60, 60, 60], 1):
        assert refusal(cloud).retry_after == 300, "the kit's guess, for the caller whose call was refused"
        assert refusal(cloud).retry_after == seconds
        now[0] += seconds - 0.1
        assert refusal(cloud).retry_after == pytest.approx(0.1)
        assert len(network.calls) == number, "a call was made while others were held"
        now[0] += 0.1


def test_a_caller_that_waits_for_retry_after_is_not_held(network, throttled):
    cloud, now = throttled
    for _ in range(8):
        now[0] += refusal(cloud).retry_after
    network.replace("GET", PLANTS, status=429, headers={"Retry-After": "7"})
    assert refusal(cloud).retry_after == 7
    assert len(network.calls) == 9


def test_a_success_ends_the_doubling(network, throttled):
    cloud, now = throttled
    for seconds in (2, 4):
        refusal(cloud)
        now[0] += seconds
    network.replace("GET", PLANTS, json={"plants": []})
    assert list(open_vendor("sma", cloud=cloud, headers={"X-Authorization-sma": "Bearer one"}).sites()) == []
    network.replace("GET", PLANTS, status=429)
    cloud.reply_cache = ReplyCache()
    refusal(cloud)
    assert refusal(cloud).retry_after == 2


def test_a_hold_does_not_concern_other_groups(network, throttled):
    cloud, _ = throttled
    refusal(cloud)
    assert refusal(cloud, "another").retry_after == 300
    assert len(network.calls) == 2


def test_concurrent_429s_count_once_and_an_older_success_does_not_end_the_doubling():
    now = [1000.0]
    quota = Quota("sma", 4, ledger=Ledger(lambda: now[0]), clock=lambda: now[0])
    for seconds in (2, 4):
        for _ in range(4):
            quota.throttled("group", None)
        quota.succeeded("group")
        with pytest.raises(RateLimited) as refused, quota.spend("group", "url", Deadline(5)):
            raise AssertionError("the call was made")
        assert refused.value.retry_after == seconds
        now[0] += seconds


def test_simultaneous_429s_count_once():
    together, others_may_run = threading.Barrier(8), threading.Event()

    class Distant(Ledger):
        """A ledger that lets other threads run within its look-up, as Redis does."""

        def held_until(self, group):
            until = super().held_until(group)
            others_may_run.wait(0.002)
            return until

    ledger = Distant(lambda: 1000.0)
    quota = Quota("sma", 8, ledger=ledger, clock=lambda: 1000.0)

    def refuse(number):
        together.wait(20)
        quota.throttled("group", None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(refuse, range(8)))
    assert ledger.held_until("sma:group") == 1000.0 + FIRST_HOLD_SECONDS


def test_a_429_with_a_hint_holds_for_exactly_that_time():
    now = [1000.0]
    quota = Quota("sma", 4, ledger=Ledger(lambda: now[0]), clock=lambda: now[0])
    quota.throttled("group", 0.5)
    now[0] += 0.5
    with quota.spend("group", "url", Deadline(5)):
        pass


def test_429s_are_counted_for_a_bounded_number_of_groups():
    ledger = Ledger()
    for number in range(GROUPS + 100):
        ledger.refused(str(number))
    assert sum(ledger.has_refused(str(number)) for number in range(GROUPS + 100)) == GROUPS


def test_all_tokens_of_one_enphase_key_share_its_quota(network):
    network.get(BASE + "/api/v4/systems", status=429, json={"period_end": time.time() + 60})
    cloud = cloud_of("enphase")
    for token in ("one", "two", "three"):
        headers = {"X-Authorization-enphase": f"Bearer {token}", "X-enphase-api-key": "the same"}
        with pytest.raises(RateLimited):
            list(open_vendor("enphase", cloud=cloud, headers=headers).sites())
    assert len(network.calls) == 1


def test_a_header_that_reports_a_spent_quota_holds_the_group_before_a_429(network):
    spent = {"RateLimit-Remaining": "0", "RateLimit-Reset": "30"}
    network.get(BASE + "/api/1/products", json={"response": []}, headers=spent)
    cloud = cloud_of("tesla")
    list(open_vendor("tesla", cloud=cloud).sites())
    with pytest.raises(RateLimited) as refused:
        list(open_vendor("tesla", cloud=cloud, refresh=True).sites())
    assert 29 < refused.value.retry_after <= 30
    assert len(network.calls) == 1
