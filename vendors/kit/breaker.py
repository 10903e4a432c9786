"""Stops asking a cloud that is down, and finds out with one call at a time whether it is up again."""

import threading
import time
from collections.abc import Callable

from vendors.kit.errors import VendorDown

FAULTS = 10
OPEN_SECONDS = 5.0
# From one credential alone, timeouts and 5xx may be one customer's broken site.
WITNESSES = 2


class Breaker:
    """For one origin. Healthy calls pass it without waiting for each other."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._unreachable = 0
        self._faults = 0
        self._witnesses: set[bytes] = set()
        self._open_until = 0.0
        self._probing_until = 0.0

    def check(self, url: str, patience: float) -> None:
        """Lets a call pass, or raises VendorDown. While the cloud is down, one call each time passes as a probe;
        `patience` is how long it may take."""
        if not self._open_until:
            return
        with self._lock:
            now = self._clock()
            if not self._open_until:
                return
            blocked_until = max(self._open_until, self._probing_until)
            if now < blocked_until:
                raise VendorDown(url, retry_after=max(1.0, self._open_until - now))
            self._probing_until = now + patience

    def succeeded(self) -> None:
        """The cloud has answered, whatever it said."""
        if not (self._faults or self._unreachable or self._open_until):
            return
        with self._lock:
            self._unreachable = self._faults = 0
            self._witnesses.clear()
            self._open_until = self._probing_until = 0.0

    def unreachable(self) -> None:
        """No connection: no matter whose call it was."""
        with self._lock:
            self._unreachable += 1
            self._judge()

    def failed(self, witness: bytes) -> None:
        """A timeout or a 5xx, seen with this credential."""
        with self._lock:
            self._faults += 1
            if len(self._witnesses) < WITNESSES:
                # More would say nothing more, and an outage may last.
                self._witnesses.add(witness)
            self._judge()

    def _judge(self) -> None:
        down = self._faults + self._unreachable >= FAULTS and (
            self._unreachable >= FAULTS or len(self._witnesses) >= WITNESSES
        )
        if down or self._open_until:
            self._open_until = self._clock() + OPEN_SECONDS
            self._probing_until = 0.0
