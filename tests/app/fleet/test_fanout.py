"""Results of sweeps that have not ended by the deadline, or could not start."""

import threading

import pytest
import responses

from app.fleet import fanout
from app.fleet.fanout import Latch, VendorSweeps
from tests.vendors.support import BASE, HEADERS, cloud_of, credential_of
from vendors.kit import BackendError, Unauthorized
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.deadline import Deadline


@pytest.fixture
def cloud():
    return cloud_of("sma")


@pytest.fixture
def started(cloud):
    """A vendor's sweep that has begun and does not end during the test."""
    go_on, begun = threading.Event(), threading.Event()
    progress = []

    def find(vendor):
        progress.append(vendor.client.progress)
        begun.set()
        go_on.wait(5)
        return []

    credential = credential_of(cloud.vendor, "sma", HEADERS["sma"])
    sweeps = VendorSweeps(cloud, [credential], find, Deadline(5), Mode.REUSE)
    all_ended = Latch(1)
    assert sweeps.start(0.0, all_ended)
    assert begun.wait(5)
    yield sweeps, progress[0]
    go_on.set()
    assert all_ended.wait(5)


@pytest.mark.parametrize(
    ("failures", "code"),
    [([], "timeout"), ([BackendError("url")], "timeout"), ([Unauthorized("url")], "unauthorized")],
    ids=["nothing", "one-site", "credential"],
)
def test_an_unfinished_sweep_is_a_timeout_unless_a_refused_credential_has_stopped_it(started, failures, code):
    sweeps, progress = started
    progress.failures.extend(failures)
    assert sweeps.results(gave_up_early=False)[0].failure.code == code


def test_a_request_that_gave_up_early_reports_busy(started):
    failure = started[0].results(gave_up_early=True)[0].failure
    assert (failure.code, failure.retry_after) == ("busy", 5.0)


def fan_out(cloud, **options):
    credentials = {"sma": [credential_of(cloud.vendor, "sma", HEADERS["sma"])]}
    [result] = fanout.fan_out({"sma": cloud}, credentials, lambda vendor: vendor.devices(), Deadline(5), **options)
    return result


def fill(bulkhead):
    """Takes every slot."""
    owners = iter(range(1000))
    while bulkhead.acquire(next(owners)):
        pass


def test_without_a_slot_records_come_from_cached_replies_and_the_vendor_is_busy(cloud, network, monkeypatch):
    monkeypatch.setattr(fanout, "SLOT_WAIT_SECONDS", 0.01)
    network.get(f"{BASE}/v1/plants", json={"plants": [{"plantId": "13"}, {"plantId": "14"}]})
    for plant in ("13", "14"):
        inverter = {"deviceId": plant, "type": "Solar Inverters", "generatorPower": 1.0}
        network.get(f"{BASE}/v1/plants/{plant}/devices/lean", json={"devices": [inverter]})
    assert len(fan_out(cloud).records) == 2
    calls = len(network.calls)
    fill(cloud.sweep_slots)
    busy = fan_out(cloud)
    assert (len(busy.records), busy.failure.code) == (2, "busy")
    assert len(network.calls) == calls


def test_without_a_slot_and_without_cached_replies_the_vendor_is_busy_with_a_hint(cloud, monkeypatch):
    monkeypatch.setattr(fanout, "SLOT_WAIT_SECONDS", 0.01)
    fill(cloud.sweep_slots)
    busy = fan_out(cloud)
    assert (busy.records, busy.failure.code, busy.failure.retry_after) == ([], "busy", 5.0)


def test_a_request_beyond_the_number_of_long_waits_gives_up_early(cloud, network, monkeypatch):
    monkeypatch.setattr(fanout, "SHORT_SECONDS", 0.05)
    monkeypatch.setattr(fanout, "LONG_WAITS", threading.BoundedSemaphore(1))
    go_on = threading.Event()

    def plants(request):
        go_on.wait(5)
        return 200, {}, '{"plants": []}'

    network.add_callback(responses.GET, f"{BASE}/v1/plants", plants)
    fanout.LONG_WAITS.acquire()
    assert fan_out(cloud).failure.code == "busy"
    go_on.set()
    fanout.LONG_WAITS.release()


def test_a_request_without_vendors_returns_at_once():
    assert fanout.fan_out({}, {}, lambda vendor: [], Deadline(60)) == []


def test_a_slot_is_released_when_a_sweep_cannot_start(cloud, monkeypatch):
    def refuse(work):
        raise RuntimeError("no thread")

    monkeypatch.setattr(cloud.sweep_threads, "run", refuse)
    with pytest.raises(RuntimeError):
        fan_out(cloud)
    assert cloud.sweep_slots.taken == 0
