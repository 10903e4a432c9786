"""A bulkhead: bounds concurrent work, in all and for each owner."""

import threading
from collections import deque
from collections.abc import Hashable


class Bulkhead:
    """At most `slots` in all and `per_owner` for each owner, so that one owner's hung calls do not block other owners.

    Waiters are served in FIFO order, skipping owners that have reached their own limit.
    """

    def __init__(self, slots: float, per_owner: int) -> None:
        self._free, self._per_owner = slots, per_owner
        self._taken: dict[Hashable, int] = {}
        self._waiting: deque[tuple[Hashable, threading.Lock]] = deque()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """The slots in use."""
        return sum(list(self._taken.values()))

    def acquire(self, owner: Hashable, seconds: float = 0.0) -> bool:
        """Takes a slot for this owner; False if none became free within `seconds`."""
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
                return True  # The slot was handed over after the timeout.
            self._waiting.remove(waiting)
            return False

    def release(self, owner: Hashable) -> None:
        """Releases a slot of this owner, and gives it to the first waiter that may have it."""
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
        if self._free <= 0 or taken >= self._per_owner:
            return False
        self._free -= 1
        self._taken[owner] = taken + 1
        return True
