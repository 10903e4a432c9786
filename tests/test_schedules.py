"""Random faults of all vendors at once: a list is a 200 with the healthy vendors and an error for each failure."""

import ctypes
import gc
import math
import os
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.schedules import FAULTS, GRACE, SECONDS, schedules  # noqa: F401 - the last is a fixture
from tests.services import served

pytestmark = pytest.mark.serial


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "first", [0, 20, 40, *(pytest.param(first, marks=pytest.mark.soak) for first in range(60, 200, 20))]
)
def test_every_list_is_right_whatever_faults_the_vendors_have_together(schedules, first, capfd):  # noqa: F811
    for seed in range(first, first + 20):
        try:
            schedules.run(seed)
        except AssertionError as wrong:
            raise AssertionError(f"schedule {seed}") from wrong
    printed = "".join(capfd.readouterr())
    assert not [secret for secret in schedules.secrets if secret in printed]


@pytest.mark.exhaustive
def test_faults_leave_no_thread_and_no_connection_behind(schedules):  # noqa: F811
    """After the schedules above, every pool has its largest size."""
    before = resources()
    for seed in range(200, 240):
        schedules.run(seed)
    after = resources()
    assert after["threads"] <= before["threads"] + 5
    assert after["files"] <= before["files"] + 20


@pytest.mark.soak
def test_two_thousand_schedules_leave_nothing_behind(schedules, report):  # noqa: F811
    for seed in range(1000, 1020):
        schedules.run(seed)
    before, violations, calls = resources(), [], Counter()
    for seed in range(2000, 4000):
        try:
            schedules.run(seed)
        except AssertionError as wrong:
            violations.append((seed, wrong))
        for vendor in schedules.clouds:
            calls[vendor] += sum(schedules.played.calls(vendor).values())
    after = resources()
    report(f"schedules: 2,000 run, {len(violations)} violations")
    report(f"  {schedules.requests} requests, the slowest answered after {schedules.slowest:.2f} s")
    report(f"  calls made: {', '.join(f'{vendor} {count}' for vendor, count in calls.items())}")
    report("  " + "; ".join(f"{what} {before[what]} -> {after[what]}" for what in before))
    assert not violations, violations[:3]
    assert after["threads"] <= before["threads"] + 50, "at most a pool that grew"
    assert after["files"] <= before["files"] + 100
    assert after["memory MiB"] <= before["memory MiB"] + 150


def resources():
    """Threads, open files and memory of this process, in which the service and the clouds run.

    Freed memory that the C library holds for each thread is returned to the system first.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "memory MiB": int(status["VmRSS"].split()[0]) // 1024,
    }


@pytest.mark.soak
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_vendor_is_an_error_of_that_vendor_by_the_deadline(schedules, report, name):  # noqa: F811
    schedules.forget()
    schedules.renew()
    headers = schedules.headers | {"Cache-Control": "no-cache"}
    deadline = schedules.service.pace(SECONDS, schedules.headers)
    schedules.forget()
    schedules.played.put("/faults/sma", FAULTS[name][0])
    started = time.monotonic()
    ids, errors = schedules.service.inverters(headers)
    took = time.monotonic() - started
    schedules.played.put("/faults/sma", {})
    seen = re.sub(r"http://[^/]+", "", errors.get("sma", "nothing: all is there"))
    report(f"  {name:26} {took:5.2f} s  {len(ids):3} inverters  {seen}")
    assert took < deadline + GRACE
    assert set(errors) <= {"sma"}


@pytest.mark.soak
def test_calls_never_exceed_a_quota_under_load(tmp_path, report):
    limits = {"sma": (60, 5), "solaredge": (40, 5), "solis": (10, 5), "enphase": (60, 5), "tesla": (60, 5)}
    with served(tmp_path, sites=30, limits=limits) as (service, played):
        headers = played.headers(*limits) | {"Cache-Control": "no-cache"}
        ends = time.monotonic() + 21
        with ThreadPoolExecutor(8) as pool:
            sent = sum(pool.map(lambda _: send_until(service, headers, ends), range(8)))
        for vendor, (calls, seconds) in limits.items():
            spent, allowed = sum(played.calls(vendor).values()), calls * (1 + math.ceil(22 / seconds))
            report(
                f"quota of {vendor}, {calls} in {seconds} s: {spent} calls of at most {allowed}, for {sent} requests"
            )
            assert calls < spent <= allowed


def send_until(service, headers, ends):
    """Sends requests until then; returns their number."""
    sent = 0
    while time.monotonic() < ends:
        service.inverters(headers)
        sent += 1
    return sent
