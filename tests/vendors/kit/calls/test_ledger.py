"""The ledger of one process: a moving window to the second, in bounded memory however many groups call."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendors.kit import Rate
from vendors.kit.calls.quota import GROUPS, Ledger


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def ledger(now):
    return Ledger(lambda: now[0])


def test_a_call_ends_to_count_when_its_seconds_are_over(ledger, now):
    rate = Rate(2, 10)
    assert ledger.count(rate, "group") == 0.0
    now[0] = 1004.0
    assert ledger.count(rate, "group") == 0.0
    assert ledger.count(rate, "group") == 1010.0, "when the first one ends to count"
    now[0] = 1009.9
    assert ledger.count(rate, "group") == 1010.0, "refused calls do not count"
    now[0] = 1010.0
    assert ledger.count(rate, "group") == 0.0
    assert ledger.count(rate, "group") == 1014.0
    assert ledger.count(rate, "another") == 0.0


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 5), st.integers(1, 10))
def test_no_period_ever_holds_more_calls_than_the_rate(pauses, calls, seconds):
    now, made = [1000.0], []
    ledger = Ledger(lambda: now[0])
    for pause in pauses:
        now[0] += pause
        free_at = ledger.count(Rate(calls, seconds), "group")
        if free_at == 0.0:
            made.append(now[0])
        else:
            assert now[0] < free_at <= now[0] + seconds
    for first, over in zip(made, made[calls:], strict=False):
        assert over - first >= seconds


def test_many_threads_never_overrun_it():
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
    assert len(ledger._made) == len(ledger._held) == GROUPS
    last = str(GROUPS + 499)
    assert ledger.held_until(last) == now[0] + 60
    assert ledger.count(Rate(1, 1), last) == now[0] + 1
    for _ in range(50):
        ledger.count(Rate(2, 1), "group")
    assert len(ledger._made["group"]) == 2
