"""A circuit breaker: stops calls to a cloud that is down, and probes with one call at a time whether it is up."""

import threading
import time
from collections.abc import Callable

from vendors.kit.errors import VendorDown

FAULTS = 10
OPEN_SECONDS = 5.0
# Number of credentials that must have seen a timeout or 5xx: with a single credential, the cause may be that
# customer's broken site.
WITNESSES = 2


class Breaker:
    """The breaker of one origin. While it is closed, calls pass without taking its lock.

    changed: called with True when it has opened, and with False when it has closed.
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

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, except for probes."""
        return self._open_until > 0

    def refuse(self, url: str) -> None:
        """Raises VendorDown while no call would pass, so that no slot or quota is spent on such a call."""
        if self._open_until:
            with self._lock:
                self._refuse(url)

    def check(self, url: str, timeout: float) -> bool:
        """Lets a call pass, or raises VendorDown. While the cloud is down, one call at a time passes, as a probe.

        Returns whether this call is the probe, which may take `timeout` seconds.
        """
        if not self._open_until:
            return False
        with self._lock:
            if not self._open_until:
                return False
            self._refuse(url)
            self._probing_until = self._clock() + timeout
            return True

    def _refuse(self, url: str) -> None:
        now = self._clock()
        if now < max(self._open_until, self._probing_until):
            raise VendorDown(url, retry_after=max(1.0, self._open_until - now))

    def succeeded(self) -> None:
        """Closes the breaker: the cloud has answered, with success or not."""
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
        """Counts a failed connection, which no credential could cause."""
        with self._lock:
            self._unreachable += 1
            has_opened = self._judge(is_probe)
        if has_opened and self._changed:
            self._changed(True)

    def failed(self, witness: bytes, *, is_probe: bool = False) -> None:
        """Counts a timeout or 5xx, with the credential that saw it."""
        with self._lock:
            self._faults += 1
            if len(self._witnesses) < WITNESSES:
                # Bounded, since an outage may last long, and further credentials make no difference.
                self._witnesses.add(witness)
            has_opened = self._judge(is_probe)
        if has_opened and self._changed:
            self._changed(True)

    def _judge(self, is_probe: bool) -> bool:
        """Opens the breaker, or keeps it open, if the cloud is down. Returns whether this call has opened it."""
        was_open = self._open_until > 0
        down = self._faults + self._unreachable >= FAULTS and (
            self._unreachable >= FAULTS or len(self._witnesses) >= WITNESSES
        )
        if down or self._open_until:
            self._open_until = self._clock() + OPEN_SECONDS
        if is_probe:
            # Only the probe: an older call that fails does not end the wait for it.
            self._probing_until = 0.0
        return self._open_until > 0 and not was_open
