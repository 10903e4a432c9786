"""Threads that wait for work. Of those that wait the last one goes first: what it needs is still in the cache.

The standard library's executor hands work to the one that has waited longest, over a future for each piece of work.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[], object]

# After so long without work a thread ends: a burst leaves nothing behind.
IDLE_SECONDS = 60.0


class Waiting:
    """A thread that waits for work, and what it then finds."""

    __slots__ = ("_work", "woken")

    def __init__(self, work: Work | None = None) -> None:
        self.woken = threading.Lock()
        self.woken.acquire()
        self._work = work

    def wake(self, work: Work) -> None:
        self._work = work
        self.woken.release()

    def take(self) -> Work | None:
        """The work, which is held no longer: it may hold much."""
        work, self._work = self._work, None
        return work


class Threads:
    """At most `most`, started when they are needed. They end with the process, whatever they are at."""

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._count = 0
        self._idle: list[Waiting] = []
        self._backlog: deque[Work] = deque()
        self._lock = threading.Lock()

    def run(self, work: Work) -> None:
        """Runs it as soon as a thread is free. Raises RuntimeError when there is none, and the system gives none."""
        try:
            waiting = self._idle.pop()
        except IndexError:
            self._run_in_another(work)
        else:
            waiting.wake(work)

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """The same for a call whose result is wanted, and which may be cancelled before it has begun."""
        future: Future[T] = Future()
        self.run(partial(_settle, future, call))
        return future

    def _run_in_another(self, work: Work) -> None:
        with self._lock:
            try:
                self._idle.pop().wake(work)  # One has just become free.
            except IndexError:
                if not self._starts(work):
                    self._backlog.append(work)

    def _starts(self, work: Work) -> bool:
        """Whether one more thread could be started for it."""
        if self._count == self._most:
            return False
        try:
            threading.Thread(target=self._live, args=(Waiting(work),), name=self._name, daemon=True).start()
        except RuntimeError:
            if not self._count:
                raise
            return False
        self._count += 1
        return True

    def _live(self, me: Waiting) -> None:
        work = me.take()
        while work is not None:
            try:
                work()
            except BaseException:  # Also what would end the thread: others count on it.
                log.exception("work of a thread failed")
            del work
            work = self._next(me)

    def _next(self, me: Waiting) -> Work | None:
        """More work when there is some; None when there was none for long."""
        with self._lock:
            if self._backlog:
                return self._backlog.popleft()
            self._idle.append(me)
        if not me.woken.acquire(timeout=IDLE_SECONDS) and self._leaves(me):
            return None
        return me.take()

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


def _settle(future: "Future[T]", call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
        # The error knows this frame: they would hold each other.
        del future
    else:
        future.set_result(result)
