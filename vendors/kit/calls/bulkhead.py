"""How much may be under way at a time, in all and for one credential."""

import threading
from collections import deque
from collections.abc import Hashable


class Bulkhead:
    """At most `places`, and `of_one` for each owner: one whose calls hang would else shut everybody out.

    Who waits gets the next place that it may have, the first one first.
    """

    def __init__(self, places: float, of_one: int) -> None:
        self._free, self._of_one = places, of_one
        self._taken: dict[Hashable, int] = {}
        self._waiting: deque[tuple[Hashable, threading.Lock]] = deque()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Those that are not free."""
        return sum(list(self._taken.values()))

    def acquire(self, owner: Hashable, seconds: float = 0.0) -> bool:
        """Whether there was a place for this owner, within so many seconds."""
        with self._lock:
            if self._take(owner):
                return True
            if seconds <= 0:
                return False
            waiting = owner, threading.Lock()
            waiting[1].acquire()
            self._waiting.append(waiting)
        if waiting[1].acquire(timeout=seconds):
            return True
        with self._lock:
            if waiting not in self._waiting:
                return True  # It was given just now.
            self._waiting.remove(waiting)
            return False

    def release(self, owner: Hashable) -> None:
        """Gives a place back."""
        with self._lock:
            self._free += 1
            left = self._taken.pop(owner) - 1
            if left:
                self._taken[owner] = left
            for waiting in self._waiting:
                if self._take(waiting[0]):
                    self._waiting.remove(waiting)
                    waiting[1].release()
                    return

    def _take(self, owner: Hashable) -> bool:
        taken = self._taken.get(owner, 0)
        if self._free <= 0 or taken >= self._of_one:
            return False
        self._free -= 1
        self._taken[owner] = taken + 1
        return True
