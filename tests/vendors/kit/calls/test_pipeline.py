"""One call of a plugin: the effects of its reply on breaker, quota, region and reply cache."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import responses

from tests.vendors.support import BASE, cloud_of, credential_of, open_vendor
from vendors.kit import BackendError, BadReply, Rate, RateLimited, Timeout
from vendors.kit.calls.breaker import FAULTS, OPEN_SECONDS, WITNESSES, Breaker
from vendors.kit.calls.quota import Quota
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.calls.single_flight import SingleFlight
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.errors import LONGEST_WAIT_SECONDS, THROTTLED_SECONDS, VendorDown
from vendors.kit.http.adapter import DeadlineAdapter

SITES = f"{BASE}/v2/sites"


def sweep_of(cloud, read="devices", key="one-made-up-key", mode=Mode.REUSE):
    credential = credential_of(cloud.vendor, "solaredge", {"X-Authorization-solaredge": key})
    sweep = Sweep(cloud.open(credential, Deadline(5), mode))
    sweep.run(lambda plugin: getattr(plugin, read)())
    return sweep


@pytest.mark.parametrize("wait", ["1e30", "99999999999"])
@pytest.mark.parametrize("status", [429, 503])
def test_an_implausible_retry_after_is_bounded(network, wait, status):
    network.get(SITES, status=status, headers={"Retry-After": wait})
    failure = sweep_of(cloud_of("solaredge"), "sites").failure
    assert failure.retry_after == LONGEST_WAIT_SECONDS


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", ["-5", "0", "-0.0", "Wed, 21 Oct 2015 07:28:00 GMT", "inf", "1e400", "nan", "soon"])
def test_a_retry_after_in_the_past_or_without_meaning_is_ignored(network, wait, status):
    network.get(SITES, status=status, headers={"Retry-After": wait})
    failure = sweep_of(cloud_of("solaredge"), "sites").failure
    without_hint = {429: THROTTLED_SECONDS, 503: None}
    assert failure.retry_after == without_hint[status]


@pytest.mark.parametrize("wait", [-1.0, 0.0, float("-inf")])
def test_an_error_ignores_a_retry_after_in_the_past(wait):
    assert BackendError(retry_after=wait).retry_after is None
    for limited in (RateLimited(retry_after=wait, guess=7), RateLimited(retry_at=time.time() + wait, guess=7)):
        assert (limited.hint, limited.retry_after) == (None, 7)


def test_calls_refused_by_the_breaker_use_no_quota(network):
    cloud = cloud_of("solaredge")
    cloud.quota = Quota("solaredge", 4, Rate(10, 60))
    breaker = cloud.breakers[BASE]
    for number in range(FAULTS):
        breaker.failed(str(number % WITNESSES).encode())
    for _ in range(20):
        assert isinstance(sweep_of(cloud, "sites").failure, VendorDown)
    breaker.succeeded()
    network.get(SITES, json=[])
    assert sweep_of(cloud, "sites").failure is None


def test_a_hold_during_the_pause_before_a_call_stops_the_call():
    now = [1000.0]

    def sleep(seconds):
        now[0] += seconds
        quota.hold("group", 60)

    quota = Quota("solaredge", 4, Rate(1, 1), clock=lambda: now[0], sleep=sleep)
    with quota.spend("group", "url", Deadline(5)):
        pass
    with pytest.raises(RateLimited), quota.spend("group", "url", Deadline(5)):
        raise AssertionError("the call was made")


def test_an_untrusted_certificate_opens_the_breaker_for_all_credentials(monkeypatch):
    cloud = cloud_of("solaredge")

    def send(*arguments, **options):
        raise requests.exceptions.SSLError

    monkeypatch.setattr(DeadlineAdapter, "send", send)
    codes = [sweep_of(cloud, "sites", f"key-{number}").failure.code for number in range(FAULTS + 1)]
    assert codes[-1] == "vendor_down"


def test_an_unreadable_reply_closes_the_breaker(network, monkeypatch):
    cloud, now = cloud_of("solaredge"), [1000.0]
    breaker = cloud.breakers[BASE] = Breaker(clock=lambda: now[0])
    for _ in range(FAULTS):
        breaker.unreachable()
    now[0] += OPEN_SECONDS

    def unreadable(*arguments):
        raise BadReply(SITES, "the answer is larger than 32 MiB")

    monkeypatch.setattr(type(cloud.transport), "fetch", unreadable)
    assert sweep_of(cloud, "sites").failure.code == "bad_reply"
    assert breaker.check(BASE, timeout=5) is False, "the next call passes, and not as a probe"


def test_a_list_without_any_readable_row_is_not_cached(network):
    cloud = cloud_of("solaredge")
    network.get(SITES, json=[{"siteId": None}])
    network.get(SITES, json=[{"siteId": 7}])
    assert sweep_of(cloud, "sites").failure.code == "bad_reply"
    healthy = sweep_of(cloud, "sites")
    assert ([site.vendor_id for site in healthy.records], healthy.failure) == (["7"], None)


def test_stale_replies_are_reported_whichever_call_failed(network):
    now = [0.0]
    cloud = cloud_of("solaredge", reply_cache=ReplyCache(clock=lambda: now[0]))
    network.get(SITES, json=[{"siteId": number} for number in range(3)])
    for number in range(2):
        network.get(f"{SITES}/{number}/devices", json=[{"type": "INVERTER", "serialNumber": f"7E{number}"}])
    network.get(f"{SITES}/2/devices", status=404)
    assert len(sweep_of(cloud).records) == 2
    now[0] = 7200.0
    credential = credential_of(cloud.vendor, "solaredge", {"X-Authorization-solaredge": "one-made-up-key"})
    cloud.quota.hold(credential.group(cloud.secret, cloud.vendor.limits.group).hex(), 60)
    sweep = sweep_of(cloud)
    assert len(sweep.records) == 2
    assert "from memory, up to 7200 s old" in sweep.incomplete


def faults_until_open(breaker):
    """How many further faults, seen with two other credentials, open the breaker."""
    for number in range(FAULTS + 1):
        try:
            breaker.refuse("url")
        except VendorDown:
            return number
        breaker.failed(str(number % WITNESSES).encode())


REGIONS = {"na": BASE, "eu": f"{BASE}/eu", "cn": f"{BASE}/cn"}


def regions(network, **answers):
    for region, answer in answers.items():
        network.get(f"{REGIONS[region]}/api/1/products", **answer)


def test_a_region_that_is_down_does_not_hide_an_account_of_another_region(network):
    regions(network, na={"status": 421}, eu={"status": 503}, cn={"json": {"response": []}})
    cloud = cloud_of("tesla")
    for _ in range(2):
        sweep = Sweep(open_vendor("tesla", cloud=cloud))
        sweep.run(lambda plugin: plugin.sites())
        assert sweep.failure is None
    assert [call.request.url.removeprefix(BASE) for call in network.calls][-1:] == ["/cn/api/1/products"]
    assert faults_until_open(cloud.breakers[REGIONS["na"]]) == FAULTS
    assert faults_until_open(cloud.breakers[REGIONS["eu"]]) == FAULTS - 1


def test_if_no_region_knows_the_account_the_failure_is_that_of_the_region_that_is_down(network):
    regions(network, na={"status": 421}, eu={"status": 503}, cn={"status": 421})
    sweep = Sweep(open_vendor("tesla"))
    sweep.run(lambda plugin: plugin.sites())
    assert isinstance(sweep.failure, BackendError)


def test_a_reply_cached_since_the_first_look_into_the_cache_is_reused(network, monkeypatch):
    """All eight requests miss the cache before any of them calls; each flight begins after the previous has ended."""
    network.get(SITES, json=[])
    cloud = cloud_of("solaredge")
    all_missed, share, one_by_one = threading.Barrier(8, timeout=60), SingleFlight.share, threading.Lock()

    def share_late(flights, *arguments):
        all_missed.wait()
        with one_by_one:
            return share(flights, *arguments)

    monkeypatch.setattr(SingleFlight, "share", share_late)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sweep_of(cloud, "sites"), range(8)))
    assert len(network.calls) == 1


def test_a_waiter_with_more_time_repeats_a_call_that_ended_at_its_caller_s_deadline():
    flights, began, is_awaited = SingleFlight(), threading.Event(), threading.Event()

    class WaiterDeadline(Deadline):
        """Notes that the waiter has begun to wait for the call in flight."""

        def left(self):
            is_awaited.set()
            return super().left()

    def call_that_times_out():
        began.set()
        assert is_awaited.wait(60)
        raise Timeout("url")

    def lead():
        with pytest.raises(Timeout):
            flights.share(b"key", call_that_times_out, Deadline(60))

    leader = threading.Thread(target=lead)
    leader.start()
    assert began.wait(60)
    assert flights.share(b"key", lambda: "a reply", WaiterDeadline(60)) == "a reply"
    leader.join()


def test_a_very_large_reply_is_not_cached(network):
    cloud = cloud_of("solaredge")
    body = "[" + " " * 5 * 1024 * 1024 + "]"
    network.add(responses.GET, SITES, body=body)
    for _ in range(2):
        assert sweep_of(cloud, "sites").failure is None
    assert len(network.calls) == 2
    assert cloud.reply_cache.bytes == 0
