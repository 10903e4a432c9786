"""How much may be under way at a time, in all and for one credential."""

import threading
from collections import Counter, deque
from collections.abc import Hashable


class Places:
    """At most `places`, and `of_one` for each owner: one whose calls hang would else shut everybody out.

    Who waits gets the next place that it may have, the first one first.
    """

    def __init__(self, places: float, of_one: int) -> None:
        self._free, self._of_one = places, of_one
        self._taken: Counter[Hashable] = Counter()
        self._waiting: deque[tuple[Hashable, threading.Lock]] = deque()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Those that are not free."""
        return self._taken.total()

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
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]
            for waiting in self._waiting:
                if self._take(waiting[0]):
                    self._waiting.remove(waiting)
                    waiting[1].release()
                    return

    def _take(self, owner: Hashable) -> bool:
        if self._free <= 0 or self._taken[owner] >= self._of_one:
            return False
        self._free -= 1
        self._taken[owner] += 1
        return True
