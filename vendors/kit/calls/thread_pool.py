"""A bounded thread pool whose threads end when a burst is over.

Work goes to the most recently idle thread, so that the others run out of work and end. The standard library's executor
hands work to its threads in turn and never ends one; it would also be waited for when the process ends.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[], object]
Inbox = SimpleQueue[Work]

# A thread without work ends after this time.
IDLE_SECONDS = 60.0


class ThreadPool:
    """At most `most` daemon threads, started when needed. They end with the process, even in the middle of work."""

    def __init__(self, most: int, name: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most, self._name, self._idle_seconds = most, name, idle_seconds
        self._count = 0
        self._idle: list[Inbox] = []
        self._backlog: deque[Work] = deque()
        self._lock = threading.Lock()

    @property
    def busy(self) -> int:
        """The threads that have work."""
        with self._lock:
            return self._count - len(self._idle)

    def run(self, work: Work) -> None:
        """Runs the work as soon as a thread is free. Raises RuntimeError if the pool has no thread and starts none."""
        with self._lock:
            if self._idle:
                self._idle.pop().put(work)
            elif not self._start_thread(work):
                self._backlog.append(work)

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Runs a call. The returned future gets its result, and can cancel the call before it has begun."""
        future: Future[T] = Future()
        self.run(partial(_settle, future, call))
        return future

    def _start_thread(self, work: Work) -> bool:
        """Starts a thread for the work; False if that is not possible."""
        if self._count == self._most:
            return False
        try:
            threading.Thread(target=self._live, args=([work],), name=self._name, daemon=True).start()
        except RuntimeError:
            if not self._count:
                raise
            return False
        self._count += 1
        return True

    def _live(self, first: list[Work]) -> None:
        # Popped from a list, since the thread's arguments would hold the work, and the work may hold whole replies.
        work: Work | None = first.pop()
        inbox: Inbox = SimpleQueue()
        while work is not None:
            try:
                work()
            except BaseException:  # SystemExit as well: the pool counts on this thread.
                logger.exception("work of a thread failed")
            del work
            work = self._next(inbox)

    def _next(self, inbox: Inbox) -> Work | None:
        """The next work; None if there was none for the idle time."""
        with self._lock:
            if self._backlog:
                return self._backlog.popleft()
            self._idle.append(inbox)
        try:
            return inbox.get(timeout=self._idle_seconds)
        except Empty:
            return None if self._leave(inbox) else inbox.get()

    def _leave(self, inbox: Inbox) -> bool:
        """Leaves the pool; False if the thread was handed work just now, which it then takes."""
        with self._lock:
            if inbox not in self._idle:
                return False
            self._idle.remove(inbox)
            self._count -= 1
            return True


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
