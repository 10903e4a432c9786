"""How many calls to one vendor may be made again, so that its outage is not doubled by us."""

import threading

# A retry costs one, a call that succeeds earns a tenth: of many calls that fail, few are made twice.
MOST = 10.0
EARNED = 0.1


class Retries:
    """The retries that a vendor has left, for all callers together."""

    def __init__(self) -> None:
        self._left = MOST
        self._lock = threading.Lock()

    def earn(self) -> None:
        """A call has succeeded."""
        if self._left < MOST:
            with self._lock:
                self._left = min(MOST, self._left + EARNED)

    def take(self) -> bool:
        """Whether a call may be made again; counts it if so."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True
