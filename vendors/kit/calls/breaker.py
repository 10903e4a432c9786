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
    """For one origin. Healthy calls pass it without waiting for each other.

    changed: learns that it has opened (True) or closed.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, changed: Callable[[bool], None] | None = None
    ) -> None:
        self._clock, self._changed = clock, changed
        self._lock = threading.Lock()
        self._unreachable = 0
        self._faults = 0
        self._witnesses: set[bytes] = set()
        self._open_until = 0.0
        self._probing_until = 0.0

    def refuse(self, url: str) -> None:
        """Raises VendorDown while no call would pass: before anything is spent on it."""
        if self._open_until:
            with self._lock:
                self._refuse(url)

    def check(self, url: str, patience: float) -> bool:
        """Lets a call pass, or raises VendorDown. While the cloud is down, one call each time passes as a probe, which
        the answer tells; `patience` is how long it may take."""
        if not self._open_until:
            return False
        with self._lock:
            if not self._open_until:
                return False
            self._refuse(url)
            self._probing_until = self._clock() + patience
            return True

    def _refuse(self, url: str) -> None:
        now = self._clock()
        if now < max(self._open_until, self._probing_until):
            raise VendorDown(url, retry_after=max(1.0, self._open_until - now))

    def succeeded(self) -> None:
        """The cloud has answered, whatever it said."""
        if not (self._faults or self._unreachable or self._open_until):
            return
        with self._lock:
            was_open = self._open_until > 0
            self._unreachable = self._faults = 0
            self._witnesses.clear()
            self._open_until = self._probing_until = 0.0
        if was_open and self._changed:
            self._changed(False)

    def unreachable(self, *, is_probe: bool = False) -> None:
        """No connection: no matter whose call it was."""
        with self._lock:
            self._unreachable += 1
            has_opened = self._judge(is_probe)
        if has_opened and self._changed:
            self._changed(True)

    def failed(self, witness: bytes, *, is_probe: bool = False) -> None:
        """A timeout or a 5xx, seen with this credential."""
        with self._lock:
            self._faults += 1
            if len(self._witnesses) < WITNESSES:
                # More would say nothing more, and an outage may last.
                self._witnesses.add(witness)
            has_opened = self._judge(is_probe)
        if has_opened and self._changed:
            self._changed(True)

    def _judge(self, is_probe: bool) -> bool:
        """Opens it, or keeps it open, if that is called for; whether it has opened just now."""
        was_open = self._open_until > 0
        down = self._faults + self._unreachable >= FAULTS and (
            self._unreachable >= FAULTS or len(self._witnesses) >= WITNESSES
        )
        if down or self._open_until:
            self._open_until = self._clock() + OPEN_SECONDS
        if is_probe:
            # An older call that fails meanwhile does not end the wait for the probe.
            self._probing_until = 0.0
        return self._open_until > 0 and not was_open
