"""Counts uses of cached replies, of which a process makes many thousand in a second.

Uses are collected, and written with the calls (app/metrics/calls.py) as sums: written one by one they took 3 % of the
CPU of a list from the cache (November 2026, docs/monitoring.md).
"""

from collections import deque

from app.metrics.definitions import Instruments

FRESH, STALE, LIST = "fresh", "stale", "list"


class ReuseMetrics:
    """Uses by vendor and kind, and the sum of the ages of the replies."""

    def __init__(self, instruments: Instruments) -> None:
        self._uses = instruments.counter("derapi_vendor_cached_replies_used_total")
        self._ages = instruments.counter("derapi_vendor_cached_replies_used_age_seconds_total")
        self.collected: deque[tuple[str, str, float]] = deque()
        """Vendor, kind of use and age of each use that is not written."""

    def add_list(self, vendor: str, age: float) -> None:
        """Counts a vendor's part of a list that is made again of the same replies, without a look at them."""
        self.collected.append((vendor, LIST, age))

    def write(self) -> None:
        """Writes what has been collected so far."""
        sums: dict[tuple[str, str], tuple[int, float]] = {}
        while self.collected:
            try:
                vendor, use, age = self.collected.popleft()
            except IndexError:  # Another thread has taken the last one.
                break
            count, ages = sums.get((vendor, use), (0, 0.0))
            sums[vendor, use] = count + 1, ages + age
        for labels, (count, ages) in sums.items():
            self._uses.labels(*labels).inc(count)
            self._ages.labels(*labels).inc(ages)
