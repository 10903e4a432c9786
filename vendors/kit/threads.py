"""Threads that wait for work. Of those that wait the last one goes first: what it needs is still in the cache.

The standard library's executor hands work to the one that has waited longest, over a future for each piece of work.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[], object]

# After so long without work a thread ends: a burst leaves nothing behind.
IDLE_SECONDS = 60.0


class Waiting:
    """A thread that waits."""

    __slots__ = ("woken", "work")

    def __init__(self) -> None:
        self.woken = threading.Lock()
        self.woken.acquire()
        self.work: Work | None = None


class Threads:
    """At most `most`, started when they are needed. They end with the process, whatever they are at."""

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._count = 0
        self._idle: list[Waiting] = []
        self._backlog: deque[Work] = deque()
        self._lock = threading.Lock()

    def run(self, work: Work) -> None:
        """Runs it as soon as a thread is free. Raises RuntimeError when the system gives no thread for it."""
        try:
            waiting = self._idle.pop()
        except IndexError:
            self._run_in_another(work)
            return
        waiting.work = work
        waiting.woken.release()

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """The same for a call whose result is wanted, and which may be cancelled before it has begun."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = call()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self.run(work)
        return future

    def _run_in_another(self, work: Work) -> None:
        with self._lock:
            if self._idle:  # One has just become free.
                waiting = self._idle.pop()
                waiting.work = work
                waiting.woken.release()
            elif self._count < self._most:
                threading.Thread(target=self._live, args=(work,), name=self._name, daemon=True).start()
                self._count += 1
            else:
                self._backlog.append(work)

    def _live(self, first: Work) -> None:
        me = Waiting()
        work: Work | None = first
        while work is not None:
            try:
                work()
            except BaseException:  # Also what would end the thread: others count on it.
                log.exception("work of a thread failed")
            del work  # It may hold much.
            work = self._next(me)

    def _next(self, me: Waiting) -> Work | None:
        """More work when there is some; None when there was none for long."""
        with self._lock:
            if self._backlog:
                return self._backlog.popleft()
            self._idle.append(me)
        if not me.woken.acquire(timeout=IDLE_SECONDS) and self._leaves(me):
            return None
        work, me.work = me.work, None
        return work

    def _leaves(self, me: Waiting) -> bool:
        """Ends the wait, unless work was handed over just now, which is then there."""
        with self._lock:
            try:
                self._idle.remove(me)
            except ValueError:
                pass
            else:
                self._count -= 1
                return True
        me.woken.acquire()
        return False
