"""How many sweeps of one vendor may be under way, in all and for one credential."""

import threading
from collections import Counter


class Places:
    """Taken before a sweep is submitted, given back when that sweep ends, not when its request ends.

    One credential never takes them all: with a vendor that hangs for it alone it would shut everybody out.
    """

    def __init__(self, places: int, of_one: int) -> None:
        self._free, self._of_one = places, of_one
        self._taken: Counter[bytes] = Counter()
        self._given_back = threading.Condition()

    @property
    def taken(self) -> int:
        """Sweeps under way."""
        return self._taken.total()

    def acquire(self, owner: bytes, seconds: float = 0.0) -> bool:
        """Whether there was a place for this credential, within so many seconds."""
        with self._given_back:
            if not self._given_back.wait_for(lambda: self._is_free(owner), seconds):
                return False
            self._free -= 1
            self._taken[owner] += 1
            return True

    def release(self, owner: bytes) -> None:
        with self._given_back:
            self._free += 1
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]
            self._given_back.notify_all()

    def _is_free(self, owner: bytes) -> bool:
        return self._free > 0 and self._taken[owner] < self._of_one
