"""The retry budget of a vendor: retries must not double the load of an outage."""

import threading

# A retry costs one, a successful call earns a tenth: if many calls fail, few of them are repeated.
MOST = 10.0
EARNED = 0.1


class RetryBudget:
    """The retries left for a vendor, shared by all callers."""

    def __init__(self) -> None:
        self._left = MOST
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Adds what a successful call earns."""
        if self._left < MOST:
            with self._lock:
                self._left = min(MOST, self._left + EARNED)

    def take(self) -> bool:
        """Whether a call may be retried; if so, the retry is counted."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True
