"""Counts of requests by key in windows of the clock, with a limit. With Redis all processes count together.

A process adds its counts to those in Redis in batches of a hundredth of the limit, so that hardly any request waits for
Redis: a caller may exceed the limit by that much in each process. While Redis does not answer, the process goes on with
its own counts. Flask-Limiter took 160 us a request (November 2026), and would ask Redis in each.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from app.storage.redis_ledger import SharedLedger

# Keys per process and limit. Of more callers in a window, those that were seen longest ago start from zero.
KEYS = 10_000
BATCHES = 100


@dataclass(slots=True)
class Window:
    """The counts of a key in the window with this number: of this process, those of them in Redis, and of others."""

    number: int
    here: int = 0
    reported: int = 0
    elsewhere: int = 0


class RateLimit:
    """At most `calls` counts of a key in each window of `seconds`; without `limit` any number. Thread-safe.

    name: of the counts in Redis. clock: epoch seconds, by which the processes agree on the windows.
    """

    def __init__(
        self,
        name: str,
        limit: tuple[int, int] | None,
        ledger: SharedLedger | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.calls, self.seconds = limit or (0, 1)
        self._unlimited = limit is None
        self._name, self._ledger, self._clock = name, ledger, clock
        self._batch = max(1, self.calls // BATCHES)
        self._windows: LRUCache[str, Window] = LRUCache(KEYS)
        self._lock = threading.Lock()

    def exceeded(self, key: str) -> int:
        """Seconds until the key may go on; 0 if it may now. Counts nothing, and takes no place of another key."""
        if self._unlimited:
            return 0
        now = self._clock()
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.number != self._number(now):
                return 0
            return self._left(now) if window.here + window.elsewhere >= self.calls else 0

    def count(self, key: str) -> int:
        """Counts one, and returns 0; seconds until the key may go on if it has reached the limit before."""
        if self._unlimited:
            return 0
        now = self._clock()
        with self._lock:
            window = self._current(key, now)
            if window.here + window.elsewhere >= self.calls:
                return self._left(now)
            window.here += 1
            amount = window.here - window.reported
            if self._ledger is None or amount < self._batch:
                return 0
            window.reported = window.here
        total = self._ledger.add(f"{self._name}:{key}:{window.number}", amount, 2 * self.seconds)
        with self._lock:
            # What other threads have reported meanwhile may not be in the total yet: the next batch corrects it.
            window.elsewhere = max(window.elsewhere, total - window.reported)
            over = window.here + window.elsewhere > self.calls
        return self._left(now) if over else 0

    def _current(self, key: str, now: float) -> Window:
        number = self._number(now)
        window = self._windows.get(key)
        if window is None or window.number != number:
            window = self._windows[key] = Window(number)
        return window

    def _number(self, now: float) -> int:
        return int(now // self.seconds)

    def _left(self, now: float) -> int:
        return max(1, math.ceil(self.seconds - now % self.seconds))
