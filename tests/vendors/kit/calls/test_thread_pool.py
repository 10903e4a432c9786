"""The thread pool of calls: each task runs once, on the most recently idle thread, in a bounded number of threads."""

import gc
import threading
import time
import weakref

import pytest

from vendors.kit.calls.thread_pool import ThreadPool


def wait_until(condition):
    ends_at = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends_at


def test_the_most_recently_idle_thread_gets_the_next_task():
    pool, first_may_end = ThreadPool(2, "test"), threading.Event()
    first = pool.submit(lambda: first_may_end.wait(60) and threading.get_ident())
    second_thread = pool.submit(threading.get_ident).result(60)
    wait_until(lambda: len(pool._idle) == 1)
    first_may_end.set()
    first_thread = first.result(60)
    wait_until(lambda: len(pool._idle) == 2)
    assert first_thread != second_thread
    assert pool.submit(threading.get_ident).result(60) == first_thread


def test_no_more_tasks_run_at_once_than_allowed_and_waiting_tasks_begin_in_order():
    pool, running, most_running, begun = ThreadPool(3, "test"), set(), [0], []
    lock, three_run = threading.Lock(), threading.Barrier(3, timeout=60)

    def work(number):
        with lock:
            running.add(number)
            begun.append(number)
            most_running[0] = max(most_running[0], len(running))
        three_run.wait()
        with lock:
            running.discard(number)

    futures = [pool.submit(lambda number=number: work(number)) for number in range(99)]
    for future in futures:
        future.result(60)
    assert most_running[0] == 3
    assert sorted(begun) == list(range(99))
    assert all(abs(number - place) < 3 for place, number in enumerate(begun))


def test_a_failing_task_leaves_its_thread_usable(caplog):
    pool = ThreadPool(1, "test")

    def fail():
        raise SystemExit

    pool.run(fail)
    assert pool.submit(lambda: 7).result(60) == 7
    assert "work of a thread failed" in caplog.text
    with pytest.raises(SystemExit):
        pool.submit(fail).result(60)


def test_a_task_can_be_cancelled_before_it_has_begun():
    pool, first_may_end, ended = ThreadPool(1, "test"), threading.Event(), []
    first = pool.submit(lambda: first_may_end.wait(60))
    second = pool.submit(lambda: ended.append(2))
    assert second.cancel()
    first_may_end.set()
    assert first.result(60)
    pool.submit(lambda: ended.append(3)).result(60)
    assert ended == [3]


def test_if_the_system_refuses_a_new_thread_the_task_waits_for_an_existing_thread(monkeypatch):
    pool, first_may_end = ThreadPool(2, "test"), threading.Event()
    first = pool.submit(lambda: first_may_end.wait(60))

    def refuse(thread):
        raise RuntimeError

    monkeypatch.setattr(threading.Thread, "start", refuse)
    second = pool.submit(lambda: 2)
    first_may_end.set()
    assert (first.result(60), second.result(60)) == (True, 2)
    with pytest.raises(RuntimeError):
        ThreadPool(2, "test").run(lambda: 3)


def test_idle_threads_end_after_a_while_and_no_task_is_lost_when_they_do():
    pool = ThreadPool(4, "test of idle threads", idle_seconds=0.0005)
    for burst in range(200):
        futures = [pool.submit(lambda number=number: number) for number in range(burst % 7)]
        assert [future.result(60) for future in futures] == list(range(burst % 7))
        # In some rounds just long enough for threads to end while the next tasks arrive.
        time.sleep(0.0005 * (burst % 3))
    wait_until(lambda: not any(thread.name == "test of idle threads" for thread in threading.enumerate()))
    all_run = threading.Barrier(4, timeout=60)
    futures = [pool.submit(all_run.wait) for _ in range(4)]
    assert {future.result(60) for future in futures} == {0, 1, 2, 3}, "the pool starts as many threads as before"


def test_the_pool_holds_no_reference_to_a_task_that_has_ended():
    pool, freed = ThreadPool(1, "test"), threading.Event()

    class Task:
        def work(self):
            pass

        def __del__(self):
            freed.set()

    pool.run(Task().work)
    assert freed.wait(60)
    freed.clear()
    pool.run(Task().work)
    assert freed.wait(60), "also if the thread is not new"


def test_only_its_future_refers_to_a_task_s_error():
    pool = ThreadPool(1, "test")

    class Failure(Exception):
        pass

    def fail():
        raise Failure

    gc.disable()
    try:
        future = pool.submit(fail)
        failure = weakref.ref(future.exception(60))
        del future
        wait_until(lambda: failure() is None)
    finally:
        gc.enable()
