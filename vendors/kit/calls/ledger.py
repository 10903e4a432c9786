"""The ledger: calls, holds and statements of vendors by limit group, in this process."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeVar

from cachetools import Cache, LRUCache

from vendors.kit.calls.quota_state import Usage
from vendors.kit.limits import Rate, ReportedQuota

T = TypeVar("T")

GROUPS = 10_000


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

    def holds(self) -> dict[str, tuple[int, float]]:
        """By vendor, the number of groups on hold, and the epoch second until which the longest is held."""
        now = self._clock()
        holds: dict[str, tuple[int, float]] = {}
        for group, until in self._peek(self._held):
            if until > now:
                count, longest = holds.get(_vendor(group), (0, 0.0))
                holds[_vendor(group)] = count + 1, max(longest, until)
        return holds

    def least_left(self, rates: Mapping[str, Rate]) -> dict[str, int]:
        """By vendor, the calls left to the group that has fewest, of those that its rate allows."""
        most = dict.fromkeys(rates, (0, ""))
        now = self._clock()
        for group, call_times in self._peek(self._call_times):
            vendor = _vendor(group)
            if vendor in rates:
                with self._lock:
                    while call_times and call_times[0] <= now - rates[vendor].seconds:
                        call_times.popleft()
                most[vendor] = max(most[vendor], (len(call_times), group))
        # Only of these groups all is read, since other processes may have counted calls as well.
        spent = {vendor: self.usage(rates[vendor], group).spent if group else 0 for vendor, (_, group) in most.items()}
        return {vendor: max(0, rate.calls - spent[vendor]) for vendor, rate in rates.items()}

    def least_reported(self) -> dict[str, ReportedQuota]:
        """By vendor, the newest statement to the group that has the smallest part of its quota left."""
        now = self._clock()
        least: dict[str, ReportedQuota] = {}
        for group, (at, reported) in self._peek(self._reported):
            other = least.get(_vendor(group))
            is_less = other is None or reported.left * other.rate.calls < other.left * reported.rate.calls
            if is_less and now < at + reported.rate.seconds:
                least[_vendor(group)] = reported
        return least

    def _peek(self, groups: "LRUCache[str, T]") -> list[tuple[str, T]]:
        """All groups with their values. To read them from the cache itself would count as use."""
        with self._lock:
            return [(group, Cache.__getitem__(groups, group)) for group in groups]


def _vendor(group: str) -> str:
    return group.partition(":")[0]
