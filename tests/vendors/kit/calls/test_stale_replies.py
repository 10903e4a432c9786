"""Stale replies are served while a vendor is down or its quota is spent, and are reported as such."""

import pytest

from tests.vendors.support import BASE, cloud_of, open_vendor
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.calls.sweep import Sweep

PLANTS = BASE + "/v1/plants"


@pytest.fixture
def now():
    return [0.0]


def listed(cloud, **options):
    sweep = Sweep(open_vendor("sma", cloud=cloud, **options))
    sweep.run(lambda vendor: vendor.devices())
    return sweep


@pytest.fixture
def aged(network, now):
    """A cloud whose two plants were cached two hours ago."""
    network.get(PLANTS, json={"plants": [{"plantId": "1"}, {"plantId": "2"}]})
    for plant in ("1", "2"):
        devices = [{"deviceId": f"d{plant}", "type": "Solar Inverters", "generatorPower": 1.0}]
        network.get(f"{PLANTS}/{plant}/devices/lean", json={"devices": devices})
    cloud = cloud_of("sma", reply_cache=ReplyCache(clock=lambda: now[0]))
    assert listed(cloud).failure is None
    now[0] = 7200.0
    return cloud


@pytest.mark.parametrize(("status", "code"), [(500, "backend_error"), (429, "rate_limited")])
def test_while_a_vendor_fails_stale_replies_are_served_and_the_error_mentions_them(network, aged, status, code):
    network.replace("GET", PLANTS, status=status)
    sweep = listed(aged)
    assert len(sweep.records) == 2
    assert sweep.failure.code == code
    assert sweep.incomplete == " (from memory, up to 7200 s old)"
    assert sweep.progress.age == 7200


def test_a_spent_quota_serves_cached_replies_without_further_calls(network, now):
    network.get(PLANTS, json={"plants": [{"plantId": str(number)} for number in range(30)]})
    for number in range(30):
        devices = [{"deviceId": f"d{number}", "type": "Solar Inverters", "generatorPower": 1.0}]
        network.get(f"{PLANTS}/{number}/devices/lean", json={"devices": devices})
    cloud = cloud_of("sma", reply_cache=ReplyCache(clock=lambda: now[0]))
    assert len(listed(cloud).records) == 30
    now[0] = 7200.0
    for number in range(30):
        network.replace("GET", f"{PLANTS}/{number}/devices/lean", status=429)
    calls = len(network.calls)
    sweep = listed(cloud)
    assert len(sweep.records) == 30
    assert sweep.failure.code == "rate_limited"
    assert len(network.calls) - calls <= 1 + 4, "the list, and what was in flight already"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_never_replaced_by_a_stale_reply(network, aged, status):
    network.replace("GET", PLANTS, status=status)
    assert listed(aged).records == []


def test_a_refresh_gets_no_stale_reply(network, aged):
    network.replace("GET", PLANTS, status=500)
    assert listed(aged, refresh=True).records == []


def test_replies_older_than_a_day_are_not_served(network, aged, now):
    now[0] = 24 * 3600 + 1.0
    network.replace("GET", PLANTS, status=500)
    assert listed(aged).records == []
