"""A bounded LIFO thread pool: work goes to the most recently idle thread, whose data is still in the CPU cache.

The standard library's executor hands work to the thread that has been idle longest, over a future for each task.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[], object]

# A thread without work ends after this time, so that a burst leaves no threads behind.
IDLE_SECONDS = 60.0


class Waiting:
    """A thread of the pool: its next work, and the lock on which it waits while it is idle."""

    __slots__ = ("_work", "woken")

    def __init__(self, work: Work | None = None) -> None:
        self.woken = threading.Lock()
        self.woken.acquire()
        self._work = work

    def wake(self, work: Work) -> None:
        self._work = work
        self.woken.release()

    def take(self) -> Work | None:
        """Returns the work and drops the reference to it, since work may hold whole replies."""
        work, self._work = self._work, None
        return work


class ThreadPool:
    """At most `most` daemon threads, started when needed. They end with the process, even in the middle of work."""

    def __init__(self, most: int, name: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most, self._name, self._idle_seconds = most, name, idle_seconds
        self._count = 0
        self._idle: list[Waiting] = []
        self._backlog: deque[Work] = deque()
        self._lock = threading.Lock()

    def run(self, work: Work) -> None:
        """Runs the work as soon as a thread is free. Raises RuntimeError if there is no thread and none can be
        started."""
        try:
            waiting = self._idle.pop()
        except IndexError:
            self._run_in_another(work)
        else:
            waiting.wake(work)

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Runs a call. The returned future gets its result, and can cancel the call before it has begun."""
        future: Future[T] = Future()
        self.run(partial(_settle, future, call))
        return future

    def _run_in_another(self, work: Work) -> None:
        with self._lock:
            try:
                self._idle.pop().wake(work)  # A thread has just become idle.
            except IndexError:
                if not self._starts(work):
                    self._backlog.append(work)

    def _starts(self, work: Work) -> bool:
        """Starts a thread for the work; False if that is not possible."""
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
            except BaseException:  # SystemExit as well: the pool counts on this thread.
                logger.exception("work of a thread failed")
            del work
            work = self._next(me)

    def _next(self, me: Waiting) -> Work | None:
        """The next work; None if there was none for the idle time."""
        with self._lock:
            if self._backlog:
                return self._backlog.popleft()
            self._idle.append(me)
        if not me.woken.acquire(timeout=self._idle_seconds) and self._leaves(me):
            return None
        return me.take()

    def _leaves(self, me: Waiting) -> bool:
        """Removes the thread from the pool; False if it was handed work just now, which it then takes."""
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
        # The error's traceback refers to this frame: a cycle.
        del future
    else:
        future.set_result(result)
