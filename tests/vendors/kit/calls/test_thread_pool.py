"""Threads that wait for work: no work is lost, none runs twice, and no more of them run than allowed."""

import gc
import threading
import time
import weakref

import pytest

from vendors.kit.calls import thread_pool as module
from vendors.kit.calls.thread_pool import ThreadPool


def until(true):
    ends = time.monotonic() + 10
    while not true():
        assert time.monotonic() < ends


def test_work_goes_to_the_most_recently_idle_thread():
    threads, seconds = ThreadPool(2, "test"), threading.Event()
    first = threads.submit(threading.get_ident)
    first.result(5)
    until(lambda: len(threads._idle) == 1)
    hold = threads.submit(lambda: seconds.wait(5) and threading.get_ident())
    second = threads.submit(threading.get_ident).result(5)
    until(lambda: len(threads._idle) == 1)
    seconds.set()
    last = hold.result(5)
    until(lambda: len(threads._idle) == 2)
    assert last != second
    assert threads.submit(threading.get_ident).result(5) == last


def test_no_more_run_at_a_time_than_allowed_and_the_rest_waits_in_order():
    threads, running, most, order = ThreadPool(3, "test"), set(), [0], []
    lock = threading.Lock()

    def work(number):
        with lock:
            running.add(number)
            order.append(number)
            most[0] = max(most[0], len(running))
        time.sleep(0.001)
        with lock:
            running.discard(number)

    done = [threads.submit(lambda number=number: work(number)) for number in range(100)]
    for one in done:
        one.result(10)
    assert most[0] == 3
    assert sorted(order) == list(range(100))
    assert all(abs(number - place) < 3 for place, number in enumerate(order))


def test_a_failing_task_leaves_its_thread_usable(caplog):
    threads = ThreadPool(1, "test")

    def fail():
        raise SystemExit

    threads.run(fail)
    assert threads.submit(lambda: 7).result(5) == 7
    assert "work of a thread failed" in caplog.text
    with pytest.raises(SystemExit):
        threads.submit(fail).result(5)


def test_a_call_can_be_cancelled_before_it_has_begun():
    threads, go_on, calls = ThreadPool(1, "test"), threading.Event(), []
    first = threads.submit(lambda: go_on.wait(5))
    second = threads.submit(lambda: calls.append(2))
    assert second.cancel()
    go_on.set()
    assert first.result(5)
    threads.submit(lambda: calls.append(3)).result(5)
    assert calls == [3]


def test_where_the_system_gives_no_more_threads_work_waits_for_one_that_is_there(monkeypatch):
    threads, go_on = ThreadPool(2, "test"), threading.Event()
    first = threads.submit(lambda: go_on.wait(5))

    def refuse(self):
        raise RuntimeError

    monkeypatch.setattr(threading.Thread, "start", refuse)
    second = threads.submit(lambda: 2)
    go_on.set()
    assert (first.result(5), second.result(5)) == (True, 2)
    with pytest.raises(RuntimeError):
        ThreadPool(2, "test").run(lambda: 3)


def test_threads_that_have_no_work_for_long_end_and_no_work_is_lost_meanwhile(monkeypatch):
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.0005)
    threads = ThreadPool(4, "test that ends")
    for burst in range(200):
        done = [threads.submit(lambda number=number: number) for number in range(burst % 7)]
        assert [one.result(5) for one in done] == list(range(burst % 7))
        time.sleep(0.0005 * (burst % 3))
    until(lambda: not any(thread.name == "test that ends" for thread in threading.enumerate()))
    assert (threads._count, threads._idle) == (0, [])


def test_nothing_is_held_of_work_that_is_done():
    threads, gone = ThreadPool(1, "test"), threading.Event()

    class Held:
        def work(self):
            pass

        def __del__(self):
            gone.set()

    threads.run(Held().work)
    assert gone.wait(5)
    gone.clear()
    threads.run(Held().work)
    assert gone.wait(5), "also where the thread is not new"


def test_a_call_that_failed_is_held_by_nothing_but_its_future():
    threads = ThreadPool(1, "test")

    class Failure(Exception):
        pass

    def fail():
        raise Failure

    gc.disable()
    try:
        future = threads.submit(fail)
        gone = weakref.ref(future.exception(5))
        until(lambda: len(threads._idle) == 1)
        del future
        assert gone() is None
    finally:
        gc.enable()
