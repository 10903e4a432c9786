"""One call of a plugin: what its answer means for the breaker, the budget, the region and the store."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import responses

from tests.vendors.support import BASE, cloud_of, credential_of, open_vendor
from vendors.kit import BackendError, BadReply, Rate, RateLimited, Timeout
from vendors.kit.calls.breaker import FAULTS, WITNESSES
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


@pytest.mark.parametrize("wait", ["inf", "1e400", "1e30", "nan", "-5", "99999999999", "soon"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_cannot_be_is_bounded(network, wait, status):
    network.get(SITES, status=status, headers={"Retry-After": wait})
    failure = sweep_of(cloud_of("solaredge"), "sites").failure
    assert failure.retry_after is None or 0 <= failure.retry_after <= LONGEST_WAIT_SECONDS
    json.dumps(failure.retry_after, allow_nan=False)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", ["-5", "0", "-0.0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_wait_that_is_over_is_no_hint(network, wait, status):
    network.get(SITES, status=status, headers={"Retry-After": wait})
    failure = sweep_of(cloud_of("solaredge"), "sites").failure
    without_hint = {429: THROTTLED_SECONDS, 503: None}
    assert failure.retry_after == without_hint[status]


@pytest.mark.parametrize("wait", [-1.0, 0.0, float("-inf")])
def test_an_error_has_no_wait_that_is_over(wait):
    assert BackendError(retry_after=wait).retry_after is None
    for limited in (RateLimited(retry_after=wait, guess=7), RateLimited(retry_at=time.time() + wait, guess=7)):
        assert (limited.hint, limited.retry_after) == (None, 7)


def test_calls_that_the_breaker_stops_are_not_paid_for(network):
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


def test_a_hold_that_comes_while_a_call_is_paced_stops_it():
    now = [1000.0]

    def sleep(seconds):
        now[0] += seconds
        budget.hold("group", 60)

    budget = Quota("solaredge", 4, Rate(1, 1), clock=lambda: now[0], sleep=sleep)
    with budget.spend("group", "url", Deadline(5)):
        pass
    with pytest.raises(RateLimited), budget.spend("group", "url", Deadline(5)):
        raise AssertionError("the call was made")


def test_a_cloud_whose_certificate_nobody_trusts_is_down_whoever_calls(monkeypatch):
    cloud = cloud_of("solaredge")

    def send(*asked, **options):
        raise requests.exceptions.SSLError

    monkeypatch.setattr(DeadlineAdapter, "send", send)
    codes = [sweep_of(cloud, "sites", f"key-{number}").failure.code for number in range(FAULTS + 1)]
    assert codes[-1] == "vendor_down"


def test_an_answer_that_cannot_be_read_is_an_answer_to_the_breaker(network, monkeypatch):
    cloud = cloud_of("solaredge")
    breaker = cloud.breakers[BASE]
    breaker._open_until = 0.001

    def unreadable(*asked):
        raise BadReply(SITES, "the answer is larger than 32 MiB")

    monkeypatch.setattr(type(cloud.transport), "fetch", unreadable)
    assert sweep_of(cloud, "sites").failure.code == "bad_reply"
    assert breaker._open_until == 0.0


def test_a_list_of_which_nothing_could_be_read_is_not_kept(network):
    cloud = cloud_of("solaredge")
    network.get(SITES, json=[{"siteId": None}])
    network.get(SITES, json=[{"siteId": 7}])
    assert sweep_of(cloud, "sites").failure.code == "bad_reply"
    healthy = sweep_of(cloud, "sites")
    assert ([site.vendor_id for site in healthy.records], healthy.failure) == (["7"], None)


def test_what_is_from_memory_says_so_whichever_call_failed(network):
    now = [0.0]
    cloud = cloud_of("solaredge", reply_cache=ReplyCache(clock=lambda: now[0]))
    network.get(SITES, json=[{"siteId": number} for number in range(3)])
    for number in range(2):
        network.get(f"{SITES}/{number}/devices", json=[{"type": "INVERTER", "serialNumber": f"7E{number}"}])
    network.get(f"{SITES}/2/devices", status=404)
    assert len(sweep_of(cloud).records) == 2
    now[0] = 7200.0
    credential = credential_of(cloud.vendor, "solaredge", {"X-Authorization-solaredge": "one-made-up-key"})
    cloud.quota.hold(credential.fingerprint(cloud.secret, cloud.vendor.limits.group).hex(), 60)
    sweep = sweep_of(cloud)
    assert len(sweep.records) == 2
    assert "from memory, up to 7200 s old" in sweep.incomplete


REGIONS = {"na": BASE, "eu": f"{BASE}/eu", "cn": f"{BASE}/cn"}


def regions(network, **answers):
    for region, answer in answers.items():
        network.get(f"{REGIONS[region]}/api/1/products", **answer)


def test_a_region_that_is_down_does_not_hide_an_account_of_another(network):
    regions(network, na={"status": 421}, eu={"status": 503}, cn={"json": {"response": []}})
    cloud = cloud_of("tesla")
    for _ in range(2):
        sweep = Sweep(open_vendor("tesla", cloud=cloud))
        sweep.run(lambda plugin: plugin.sites())
        assert sweep.failure is None
    assert [call.request.url.removeprefix(BASE) for call in network.calls][-1:] == ["/cn/api/1/products"]
    assert cloud.breakers[REGIONS["na"]]._faults == 0
    assert cloud.breakers[REGIONS["eu"]]._faults == 1


def test_where_no_region_knows_the_account_the_one_that_is_down_is_the_failure(network):
    regions(network, na={"status": 421}, eu={"status": 503}, cn={"status": 421})
    sweep = Sweep(open_vendor("tesla"))
    sweep.run(lambda plugin: plugin.sites())
    assert isinstance(sweep.failure, BackendError)


def test_a_call_that_has_landed_since_the_look_into_the_store_is_not_made_again(network, monkeypatch):
    """Equal requests that come while a call is under way, and share only after it has landed."""
    network.get(SITES, json=[])
    cloud = cloud_of("solaredge")
    all_looked, share = threading.Barrier(8), SingleFlight.share

    def late(flights, *asked):
        all_looked.wait(5)
        time.sleep(0.02 * (threading.get_ident() % 3))
        return share(flights, *asked)

    monkeypatch.setattr(SingleFlight, "share", late)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sweep_of(cloud, "sites"), range(8)))
    assert len(network.calls) == 1


def test_who_has_more_time_makes_the_call_again_that_ended_with_another_s_deadline():
    flights, began, results = SingleFlight(), threading.Event(), iter([Timeout("url"), "found"])

    def call():
        began.set()
        time.sleep(0.05)
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    def lead():
        with pytest.raises(Timeout):
            flights.share(b"key", call, Deadline(0.05))

    leader = threading.Thread(target=lead)
    leader.start()
    began.wait(5)
    assert flights.share(b"key", call, Deadline(5)) == "found"
    leader.join()


def test_a_very_large_reply_does_not_take_the_place_of_the_others(network):
    cloud = cloud_of("solaredge")
    body = "[" + " " * 5 * 1024 * 1024 + "]"
    network.add(responses.GET, SITES, body=body)
    for _ in range(2):
        assert sweep_of(cloud, "sites").failure is None
    assert len(network.calls) == 2
    assert cloud.reply_cache.bytes == 0
