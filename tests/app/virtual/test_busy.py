"""Many requests of one virtual client at once: they wait for each other, and delay no other client."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from app.api import virtual_slots
from app.storage.database import WORK_THREADS
from app.virtual.plugin import SWEEPS, SWEEPS_PER_CLIENT, VENDOR
from tests.app.virtual.support import KINDS, Caller
from vendors.kit.calls.bulkhead import Bulkhead

SECONDS = 60


@contextmanager
def stuck(app, monkeypatch, caller, count):
    """So many pages of a client at once, which its database does not answer until the block ends. Yields their futures,
    and the numbers of pages that were in progress together."""
    fleet, begun, go_on = app.extensions["services"].virtual_fleet, threading.Semaphore(0), threading.Event()
    sites_after, in_progress, numbers = fleet.sites_after, [], []

    def slow(client_id, *arguments):
        in_progress.append(client_id)
        numbers.append(in_progress.count(caller.id))
        if client_id == caller.id:
            begun.release()
            assert go_on.wait(SECONDS)
        in_progress.remove(client_id)
        return sites_after(client_id, *arguments)

    monkeypatch.setattr(type(fleet), "sites_after", lambda self, *arguments: slow(*arguments))
    begins = virtual_slots.SLOTS_PER_CLIENT
    with ThreadPoolExecutor(count) as threads:
        callers = [Caller(app, "virtual", auth=caller.auth) for _ in range(count)]
        pages = [threads.submit(each.get, "/virtual/sites") for each in callers]
        try:
            for _ in range(begins):
                assert begun.acquire(timeout=SECONDS)
            yield pages, numbers
        finally:
            go_on.set()


def test_a_client_with_too_many_requests_at_once_gets_a_503_and_all_other_clients_their_answers(
    app, monkeypatch, virtual, other, production
):
    monkeypatch.setattr(virtual_slots, "WAIT_SECONDS", 0.0)
    with stuck(app, monkeypatch, virtual, virtual_slots.SLOTS_PER_CLIENT):
        for path in ("/virtual/sites", "/virtual/batteries", "/sites", "/sites/site-0000000000000000/solar-intervals"):
            answer = virtual.get(path)
            assert (answer.status_code, answer.json["code"]) == (503, "virtual_busy"), path
            assert answer.headers["Retry-After"] == "5"
        assert virtual.post("sites", {}).json["code"] == "virtual_busy"
        other.create("batteries")
        assert other.virtual_ids("sites") == other.ids("sites")
        assert Caller(app, "production", auth=production.auth).get("/sites").json["code"] == "vendor_access_missing"
    assert virtual.virtual_ids("sites") == []


def test_requests_above_the_bound_wait_and_are_answered(app, monkeypatch, virtual):
    with stuck(app, monkeypatch, virtual, 12) as (pages, numbers):
        assert not any(page.done() for page in pages)
    assert max(numbers) == virtual_slots.SLOTS_PER_CLIENT
    assert [page.result(SECONDS).status_code for page in pages] == [200] * 12


def test_no_more_requests_wait_than_leave_threads_for_other_clients(app, monkeypatch, virtual, other):
    monkeypatch.setattr(virtual_slots, "WAIT_SECONDS", SECONDS)
    slots = next(
        function.__self__ for function in app.before_request_funcs[None] if "VirtualSlots" in function.__qualname__
    )
    with stuck(app, monkeypatch, virtual, virtual_slots.SLOTS_PER_CLIENT):
        while slots._waiters.acquire(virtual.id):
            pass
        assert virtual.get("/virtual/sites").json["code"] == "virtual_busy"
        assert other.virtual_ids("sites") == []
        for _ in range(virtual_slots.WAITERS_PER_CLIENT):
            slots._waiters.release(virtual.id)


@pytest.mark.parametrize("fault", [{"siteID": "site-0000000000000000"}, {"unknown": 1}])
def test_a_request_that_fails_releases_its_slot(virtual, fault):
    for _ in range(virtual_slots.SLOTS_PER_CLIENT * 2):
        assert virtual.post("batteries", fault).status_code == 400
        assert virtual.get("/virtual/sites?pageSize=0").status_code == 400
        assert virtual.get("/nothing").status_code == 404
    virtual.create("batteries")


def test_production_clients_need_no_slot(app, monkeypatch, production):
    monkeypatch.setattr(Bulkhead, "acquire", lambda *arguments: pytest.fail("took a slot"))
    assert production.get("/sites").json["code"] == "vendor_access_missing"


def test_one_client_leaves_a_thread_of_the_database_to_another():
    assert virtual_slots.SLOTS_PER_CLIENT < WORK_THREADS
    assert virtual_slots.SLOTS_PER_CLIENT < virtual_slots.SLOTS


def test_there_are_twice_as_many_sweeps_as_requests_in_progress():
    assert (SWEEPS, SWEEPS_PER_CLIENT) == (2 * virtual_slots.SLOTS, 2 * virtual_slots.SLOTS_PER_CLIENT)


def test_without_a_slot_for_its_sweep_a_read_is_busy_without_any_work(app, virtual, monkeypatch):
    monkeypatch.setattr("app.fleet.fanout.SLOT_WAIT_SECONDS", 0.0)
    site = virtual.create("sites")["id"]
    services = app.extensions["services"]
    monkeypatch.setattr(services.inventory._clouds[VENDOR], "sweep_slots", Bulkhead(0, 0))
    for method in ("site_names", "device_ids", "site", "device"):
        monkeypatch.setattr(type(services.virtual_fleet), method, lambda *arguments: pytest.fail("was read"))
    for path in KINDS:
        answer = virtual.get(f"/{path}", {"api-version": "v2024-09-01"})
        assert answer.json["errorDetails"]["virtual"]["code"] == "busy"
    answer = virtual.get(f"/sites/{site}")
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "busy", "5")
