"""The ledger of one process: an exact moving window, in bounded memory however many groups call."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendors.kit import Rate, ReportedQuota
from vendors.kit.calls.ledger import GROUPS, Ledger
from vendors.kit.calls.quota_state import Usage


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def ledger(now):
    return Ledger(lambda: now[0])


def test_a_call_no_longer_counts_when_its_seconds_are_over(ledger, now):
    rate = Rate(2, 10)
    assert ledger.count(rate, "group") == 0.0
    now[0] = 1004.0
    assert ledger.count(rate, "group") == 0.0
    assert ledger.count(rate, "group") == 1010.0, "when the first call no longer counts"
    now[0] = 1009.9
    assert ledger.count(rate, "group") == 1010.0, "refused calls do not count"
    now[0] = 1010.0
    assert ledger.count(rate, "group") == 0.0
    assert ledger.count(rate, "group") == 1014.0
    assert ledger.count(rate, "another") == 0.0


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 5), st.integers(1, 10))
def test_no_period_ever_holds_more_calls_than_the_rate(pauses, calls, seconds):
    now, call_times = [1000.0], []
    ledger = Ledger(lambda: now[0])
    for pause in pauses:
        now[0] += pause
        free_at = ledger.count(Rate(calls, seconds), "group")
        if free_at == 0.0:
            call_times.append(now[0])
        else:
            assert now[0] < free_at <= now[0] + seconds
    for first, over in zip(call_times, call_times[calls:], strict=False):
        assert over - first >= seconds


def test_many_threads_never_exceed_the_rate():
    ledger, allowed = Ledger(), []

    def spend():
        for _ in range(50):
            if ledger.count(Rate(100, 3600), "group") == 0.0:
                allowed.append(time.time())

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(allowed) == 100


def test_memory_is_bounded_however_many_groups_call(ledger, now):
    for number in range(GROUPS + 500):
        ledger.count(Rate(2, 1), str(number))
        ledger.hold(str(number), now[0] + 60)
    newest_first = [str(number) for number in reversed(range(GROUPS + 500))]
    assert [ledger.held_until(group) > 0 for group in newest_first] == [True] * GROUPS + [False] * 500
    assert [ledger.count(Rate(1, 1), group) > 0 for group in newest_first] == [True] * GROUPS + [False] * 500


def test_of_each_group_the_ledger_remembers_no_more_calls_than_its_rate_allows(ledger):
    for _ in range(50):
        ledger.count(Rate(2, 1), "group")
    assert ledger.count(Rate(3, 1), "group") == 0.0, "two calls are remembered"
    assert ledger.count(Rate(3, 1), "group") > 0


def test_reading_what_is_spent_counts_no_call_and_forgets_calls_in_time(ledger, now):
    rate = Rate(2, 60)
    assert ledger.usage(rate, "group") == Usage(0, None)
    began = now[0]
    for _ in range(2):
        assert ledger.count(rate, "group") == 0.0
        now[0] += 10
    for _ in range(5):
        assert ledger.usage(rate, "group") == Usage(2, began + 60)
    now[0] = began + 60
    assert ledger.usage(rate, "group") == Usage(1, began + 70)
    assert ledger.count(rate, "group") == 0.0


def test_what_a_vendor_states_is_forgotten_when_its_period_is_over(ledger, now):
    statement = ReportedQuota(Rate(10, 60), 4)
    ledger.report("group", statement)
    assert ledger.reported("group") == statement
    now[0] += 60
    assert ledger.reported("group") is None


def test_an_answer_that_was_overtaken_does_not_raise_what_is_left(ledger, now):
    rate = Rate(10, 60)
    ledger.report("group", ReportedQuota(rate, 4))
    now[0] += 1
    # Its call began before the answer above had come.
    assert not ledger.report("group", ReportedQuota(rate, 5), seconds=3.0)
    assert ledger.reported("group") == ReportedQuota(rate, 4)
    assert ledger.report("group", ReportedQuota(rate, 9), seconds=0.5)
    assert ledger.reported("group") == ReportedQuota(rate, 9)
