"""Gauges show the present state: breakers, holds, quotas, slots, threads, caches, the database and Redis."""

import re
import threading
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from tests.app.support import ALL
from vendors.kit import Rate
from vendors.kit.calls.breaker import FAULTS
from vendors.kit.calls.quota import Quota
from vendors.kit.limits import ReportedQuota

GROUP = "0123456789abcdef"  # A group's name is a hash; no metric shows it.


@pytest.fixture
def services(app):
    return app.extensions["services"]


@pytest.fixture
def shown(http):
    """The gauges as they are shown, by series."""

    def read():
        text = http.get("/metrics").text
        assert GROUP not in text
        return {series: float(number) for series, number in re.findall(r"^(derapi\S+) (\S+)$", text, re.M)}

    return read


def test_a_breaker_is_open_from_the_outage_to_the_first_success_also_a_token_endpoints(services, shown):
    sma = services.clouds["sma"]
    (base,) = sma.urls.values()
    name, token_breaker = next(iter(sma.token_breakers.items()))
    data, tokens = (f'derapi_vendor_breaker_open{{region="{region}",vendor="sma"}}' for region in ("main", name))
    assert (shown()[data], shown()[tokens]) == (0, 0)
    for _ in range(FAULTS):
        sma.breakers[base].unreachable()
        token_breaker.unreachable()
    assert (shown()[data], shown()[tokens]) == (1, 1)
    sma.breakers[base].succeeded()
    assert (shown()[data], shown()[tokens]) == (0, 1)


def test_held_groups_are_a_number_and_the_longest_time(services, shown):
    quota = services.clouds["solis"].quota
    quota.hold(GROUP, 100)
    quota.hold("another", 900)
    quota.hold("over", -5)
    gauges = shown()
    assert gauges['derapi_vendor_groups_held{vendor="solis"}'] == 2
    until = quota._clock() + 900
    assert gauges['derapi_vendor_held_until_timestamp_seconds{vendor="solis"}'] == pytest.approx(until, abs=60)
    assert gauges['derapi_vendor_groups_held{vendor="sma"}'] == 0
    assert gauges['derapi_vendor_held_until_timestamp_seconds{vendor="sma"}'] == 0


def test_the_quota_left_is_that_of_the_credential_with_the_fewest_calls_left(services, shown):
    cloud, rate = services.clouds["solis"], Rate(10, 3600)
    cloud.quota = Quota("solis", 4, rate, cloud.quota._ledger)
    for group in (GROUP, GROUP, GROUP, "another"):
        cloud.quota._ledger.count(rate, f"solis:{group}")
    assert shown()['derapi_vendor_quota_left_ratio{source="kept",vendor="solis"}'] == 0.7


def test_the_quota_that_a_vendor_reports_is_that_of_the_credential_with_the_smallest_part_left(services, shown):
    ledger = services.clouds["enphase"].quota._ledger
    ledger.report(f"enphase:{GROUP}", ReportedQuota(Rate(1000, 3600), 400))
    ledger.report("enphase:another", ReportedQuota(Rate(100, 3600), 60))
    gauges = shown()
    assert gauges['derapi_vendor_quota_left_ratio{source="reported",vendor="enphase"}'] == 0.4
    assert 'derapi_vendor_quota_left_ratio{source="reported",vendor="sma"}' not in gauges, "it has reported none"


def test_a_statement_of_a_vendor_is_shown_until_its_period_ends_and_then_a_whole_quota(services, shown):
    series = 'derapi_vendor_quota_left_ratio{source="reported",vendor="enphase"}'
    ledger = services.clouds["enphase"].quota._ledger
    now = ledger._clock()
    ledger._clock = lambda: now
    ledger.report(f"enphase:{GROUP}", ReportedQuota(Rate(10, 60), 0))
    assert shown()[series] == 0
    ledger._clock = lambda: now + 60
    assert shown()[series] == 1
    ledger.report("enphase:another", ReportedQuota(Rate(100_000, 86_400), 50_000))
    assert shown()[series] == 0.5


def test_a_limit_of_no_calls_has_none_left(services, shown):
    ledger = services.clouds["enphase"].quota._ledger
    ledger.report(f"enphase:{GROUP}", ReportedQuota(Rate(0, 60), 0))
    assert shown()['derapi_vendor_quota_left_ratio{source="reported",vendor="enphase"}'] == 0


def test_to_show_the_quotas_changes_not_which_group_is_forgotten_first(services, shown):
    ledger = services.clouds["solis"].quota._ledger
    for group in ("solis:a", "solis:b"):
        ledger.hold(group, 2e9)
    ledger.held_until("solis:a")  # Used last.
    shown()
    assert ledger._held.popitem()[0] == "solis:b"


def test_slots_and_threads_in_use_are_those_of_sweeps_in_progress(services, shown):
    cloud = services.clouds["solis"]
    begun, go_on = threading.Event(), threading.Event()

    def work():
        begun.set()
        assert go_on.wait(60)

    cloud.sweep_slots.acquire("owner")
    running = cloud.sweep_threads.submit(work)
    assert begun.wait(60)
    gauges = shown()
    go_on.set()
    running.result(60)
    cloud.sweep_slots.release("owner")
    assert gauges['derapi_vendor_sweep_slots_in_use{vendor="solis"}'] == 1
    assert gauges['derapi_vendor_threads_in_use{pool="sweep",vendor="solis"}'] == 1
    assert gauges['derapi_vendor_threads_in_use{pool="call",vendor="solis"}'] == 0
    assert gauges['derapi_vendor_sweep_slots{vendor="solis"}'] == 48


@pytest.mark.usefixtures("clouds")
def test_cached_replies_are_counted_with_their_memory(get, shown):
    assert shown()["derapi_cached_replies"] == 0
    get(headers=ALL)
    gauges = shown()
    assert gauges["derapi_cached_replies"] == 6
    assert gauges["derapi_cached_reply_bytes"] > 6 * 850


def test_the_database_is_up_until_it_does_not_answer_and_without_redis_there_is_no_word_of_it(services, shown):
    assert shown()['derapi_dependency_up{dependency="database"}'] == 1
    services.database.look_up = refuse
    gauges = shown()
    assert gauges['derapi_dependency_up{dependency="database"}'] == 0
    assert 'derapi_dependency_up{dependency="redis"}' not in gauges


def refuse(*_):
    raise OperationalError("", None, Exception())


def test_redis_is_up_or_down_and_its_count_is_the_quota_left(settings, start_service, redis_url):
    app = start_service(replace(settings, redis_url=redis_url, vendor_limits={"solis": (10, 60)}))
    ledger = app.extensions["services"].clouds["solis"].quota._ledger
    other = start_service(replace(settings, redis_url=redis_url)).extensions["services"].ledger
    ledger.count(Rate(10, 60), "solis:group")
    other.count(Rate(10, 60), "solis:group")
    text = app.test_client().get("/metrics").text
    assert 'derapi_dependency_up{dependency="redis"} 1.0' in text
    assert 'derapi_vendor_quota_left_ratio{source="kept",vendor="solis"} 0.8' in text
    ledger._alone_until = float("inf")
    text = app.test_client().get("/metrics").text
    assert 'derapi_dependency_up{dependency="redis"} 0.0' in text
    assert 'derapi_vendor_quota_left_ratio{source="kept",vendor="solis"} 0.9' in text
