"""The quota of each limit group: the calls that this server may still make.

Three bounds: calls in a period, concurrent calls, and the time until which the group is held. A call beyond them is
refused before it is made: vendors count refused calls as well, and ban keys for them.
"""

import threading
import time
from collections.abc import Callable
from math import inf
from typing import Any

from vendors.kit.calls.bulkhead import Bulkhead
from vendors.kit.calls.ledger import Ledger
from vendors.kit.calls.quota_state import PACE_SECONDS, Hold, QuotaState, Standing
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy, Held
from vendors.kit.limits import LimitSource, Rate, ReportedQuota

# A 429 without a hint holds its group this long, each further 429 twice as long, up to the longest hold.
FIRST_HOLD_SECONDS = 2.0
LONGEST_HOLD_SECONDS = 60.0


class Quota:
    """The quota of one vendor, whose calls are counted in a ledger."""

    def __init__(
        self,
        vendor: str,
        parallel: int,
        rate: Rate | None = None,
        ledger: Ledger | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        source: LimitSource = LimitSource.BOUND,
    ) -> None:
        """`source`: from where the rate is known."""
        self._vendor = vendor
        self.rate, self._source = rate, source
        self._ledger = ledger or Ledger(clock)
        self._clock, self._sleep = clock, sleep
        self._slots = Bulkhead(inf, parallel)
        self._throttling = threading.Lock()

    def state(self, group: str) -> QuotaState:
        """What is known of the group's quota. Reading it spends nothing."""
        name, now = f"{self._vendor}:{group}", self._clock()
        until, kept, hold = self._ledger.held_until(name), None, None
        if self.rate:
            usage = self._ledger.usage(self.rate, name)
            kept = Standing(self.rate, self._source, max(0, self.rate.calls - usage.spent), usage.frees_at)
        if until > now:
            is_guess = until == self._ledger.guessed(name)
            hold = Hold(until, LimitSource.BOUND if is_guess else LimitSource.VENDOR)
        return QuotaState(now, kept, self._ledger.reported(name), hold)

    def spend(self, group: str, url: str, deadline: Deadline) -> "QuotaUse":
        """A context for one call. Entering it raises Held with the time to wait, or Busy when no slot became free."""
        return QuotaUse(self, group, url, deadline)

    def enter(self, group: str, url: str, deadline: Deadline) -> None:
        self._refuse_held(group, url)
        had_to_wait = not self._slots.acquire(group)
        if had_to_wait and not self._slots.acquire(group, deadline.left()):
            why = "other requests with this credential are waiting for the vendor as well"
            raise Busy(url, why, retry_after=5.0)
        try:
            if had_to_wait:
                # Other calls may have led to a hold during the wait.
                self._refuse_held(group, url)
            self._count(group, url, deadline)
        except BaseException:
            self.leave(group)
            raise

    def leave(self, group: str) -> None:
        self._slots.release(group)

    def hold(self, group: str, seconds: float) -> None:
        """Holds the group for the time that the vendor has asked for."""
        self._ledger.hold(f"{self._vendor}:{group}", self._clock() + seconds)

    def report(self, group: str, reported: ReportedQuota, seconds: float) -> None:
        """Remembers what the vendor's answer to a call of so many seconds states."""
        self._ledger.report(f"{self._vendor}:{group}", reported, seconds)

    def throttled(self, group: str, hint: float | None) -> float:
        """Holds the group after a 429: for the vendor's hint in seconds, or without a hint for longer each time.

        Returns the seconds for which it is held.
        """
        if hint:
            self.hold(group, hint)
            return hint
        # 429s of concurrent calls count once: the first 429 holds the group, and the others see the hold.
        with self._throttling:
            if not self._is_held(group):
                doublings = min(self._ledger.refused(f"{self._vendor}:{group}") - 1, 10)
                seconds = min(FIRST_HOLD_SECONDS * 2**doublings, LONGEST_HOLD_SECONDS)
                self._ledger.guess(f"{self._vendor}:{group}", self._clock() + seconds)
        return max(0.0, self._ledger.held_until(f"{self._vendor}:{group}") - self._clock())

    def succeeded(self, group: str) -> None:
        """Ends the doubling after a success, unless the group is held: that call began before the last 429."""
        name = f"{self._vendor}:{group}"
        if self._ledger.has_refused(name) and not self._is_held(group):
            self._ledger.forgive(name)

    def _is_held(self, group: str) -> bool:
        return self._ledger.held_until(f"{self._vendor}:{group}") > self._clock()

    def _refuse_held(self, group: str, url: str) -> None:
        left = self._ledger.held_until(f"{self._vendor}:{group}") - self._clock()
        if left > 0:
            raise Held(url, "the vendor has refused a call before, or has asked to wait", retry_after=left)

    def _count(self, group: str, url: str, deadline: Deadline) -> None:
        while self.rate and (free_at := self._ledger.count(self.rate, f"{self._vendor}:{group}")):
            wait = max(0.01, free_at - self._clock())
            if wait > PACE_SECONDS or wait > deadline.left():
                raise Held(url, "the budget of this server for this credential is spent", retry_after=wait)
            self._sleep(wait)
            # A 429 may have come during the wait.
            self._refuse_held(group, url)


class QuotaUse:
    """The context of one call within its quota."""

    __slots__ = ("_call", "_quota")

    def __init__(self, quota: Quota, *call: Any) -> None:
        self._quota, self._call = quota, call

    def __enter__(self) -> None:
        self._quota.enter(*self._call)

    def __exit__(self, *error: object) -> None:
        self._quota.leave(self._call[0])
