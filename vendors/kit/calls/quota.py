"""The quota of each limit group: the calls that this server may still make.

Three bounds: calls in a period, concurrent calls, and the time until which the group is held. A call beyond them is
refused before it is made: vendors count refused calls as well, and ban keys for them.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any

from cachetools import LRUCache

from vendors.kit.calls.bulkhead import Bulkhead
from vendors.kit.calls.quota_state import PACE_SECONDS, Hold, QuotaState, Standing, Usage
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy, Held
from vendors.kit.limits import LimitSource, Rate, ReportedQuota

GROUPS = 10_000
# A 429 without a hint holds its group this long, each further 429 twice as long, up to the longest hold.
FIRST_HOLD_SECONDS = 2.0
LONGEST_HOLD_SECONDS = 60.0


class Ledger:
    """The calls made and the holds of each group in this process. A subclass may share them with other processes.

    Memory is bounded: it remembers the groups that called last, and for each group no more calls than its rate allows.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._call_times: LRUCache[str, deque[float]] = LRUCache(GROUPS)
        self._held: LRUCache[str, float] = LRUCache(GROUPS)
        self._guessed: LRUCache[str, float] = LRUCache(GROUPS)
        self._refused: LRUCache[str, int] = LRUCache(GROUPS)
        self._reported: LRUCache[str, tuple[float, ReportedQuota]] = LRUCache(GROUPS)
        self._lock = threading.Lock()

    def count(self, rate: Rate, group: str) -> float:
        """Counts a call if the rate allows it and returns 0; else returns the epoch second from which it does."""
        now = self._clock()
        with self._lock:
            call_times = self._call_times.setdefault(group, deque())
            while call_times and call_times[0] <= now - rate.seconds:
                call_times.popleft()
            if len(call_times) >= rate.calls:
                return call_times[0] + rate.seconds
            call_times.append(now)
            return 0.0

    def usage(self, rate: Rate, group: str) -> Usage:
        """The calls that `count` has counted; reading them counts none."""
        since = self._clock() - rate.seconds
        with self._lock:
            call_times = [at for at in self._call_times.get(group, ()) if at > since]
        return Usage(len(call_times), call_times[0] + rate.seconds if call_times else None)

    def held_until(self, group: str) -> float:
        """Epoch second until which no call may be made; 0 if none is known."""
        with self._lock:
            return self._held.get(group, 0.0)

    def hold(self, group: str, until: float) -> None:
        with self._lock:
            self._held[group] = max(self._held.get(group, 0.0), until)

    def guess(self, group: str, until: float) -> None:
        """Holds the group for a time that the vendor has not named."""
        with self._lock:
            self._guessed[group] = until
        self.hold(group, until)

    def guessed(self, group: str) -> float:
        """Epoch second until which the last such hold lasts; 0 if none is known."""
        with self._lock:
            return self._guessed.get(group, 0.0)

    def report(self, group: str, reported: ReportedQuota, seconds: float = 0.0) -> bool:
        """Remembers what a vendor's answer states, unless it may be older than the answer before: calls take `seconds`,
        and overtake each other. Returns whether it does."""
        now = self._clock()
        with self._lock:
            at, last = self._reported.get(group, (0.0, None))
            if last and last.rate == reported.rate and last.left < reported.left and now - seconds < at:
                return False
            self._reported[group] = now, reported
            return True

    def reported(self, group: str) -> ReportedQuota | None:
        """The vendor's newest statement, unless its period is over."""
        with self._lock:
            at, reported = self._reported.get(group, (0.0, None))
        return reported if reported and self._clock() < at + reported.rate.seconds else None

    def refused(self, group: str) -> int:
        """Counts a 429 without a hint. Returns how many there were since the last success."""
        with self._lock:
            self._refused[group] = count = self._refused.get(group, 0) + 1
            return count

    def has_refused(self, group: str) -> bool:
        """Whether this process has counted such a 429 since the last success."""
        return group in self._refused

    def forgive(self, group: str) -> None:
        """Forgets the 429s, after a success."""
        with self._lock:
            self._refused.pop(group, None)


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
        self._rate, self._source = rate, source
        self._ledger = ledger or Ledger(clock)
        self._clock, self._sleep = clock, sleep
        self._slots = Bulkhead(inf, parallel)
        self._throttling = threading.Lock()

    def state(self, group: str) -> QuotaState:
        """What is known of the group's quota. Reading it spends nothing."""
        name, now = f"{self._vendor}:{group}", self._clock()
        until, kept, hold = self._ledger.held_until(name), None, None
        if self._rate:
            usage = self._ledger.usage(self._rate, name)
            kept = Standing(self._rate, self._source, max(0, self._rate.calls - usage.spent), usage.frees_at)
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
        while self._rate and (free_at := self._ledger.count(self._rate, f"{self._vendor}:{group}")):
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
