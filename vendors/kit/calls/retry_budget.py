"""The retry budget of a vendor, so that retries do not double the load during an outage."""

import threading

# A retry costs 1.0 and a successful call earns EARNED: if many calls fail, few of them are repeated.
MOST = 10.0
EARNED = 0.1


class RetryBudget:
    """The retries left for a vendor, shared by all callers."""

    def __init__(self) -> None:
        self._left = MOST
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Adds the share of a successful call."""
        if self._left < MOST:
            with self._lock:
                self._left = min(MOST, self._left + EARNED)

    def take(self) -> bool:
        """Whether a call may be retried; if so, counts the retry."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True
