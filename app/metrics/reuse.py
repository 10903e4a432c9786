"""Counts uses of cached replies, of which a process makes many thousand in a second.

They are added up in memory, and written at each look at the metrics and every few seconds. Written one by one they took
3 % of the CPU of a list from the cache (November 2026, docs/monitoring.md). A process that is killed loses those of its
last seconds.
"""

import threading

from app.metrics.definitions import Instruments

FRESH, STALE, LIST = "fresh", "stale", "list"


class ReuseMetrics:
    """Uses by vendor and kind, and the sum of the ages of the replies."""

    def __init__(self, instruments: Instruments) -> None:
        self._uses = instruments.counter("derapi_vendor_cached_replies_used_total")
        self._ages = instruments.counter("derapi_vendor_cached_replies_used_age_seconds_total")
        # By vendor and use: the number and the sum of the ages that are not written yet.
        self._unwritten: dict[tuple[str, str], tuple[int, float]] = {}
        self._lock = threading.Lock()

    def add(self, vendor: str, use: str, age: float) -> None:
        """Counts a use."""
        with self._lock:
            count, ages = self._unwritten.get((vendor, use), (0, 0.0))
            self._unwritten[vendor, use] = count + 1, ages + age

    def add_list(self, vendor: str, age: float) -> None:
        """Counts a vendor's part of a list that is made again of the same replies, without a look at them."""
        self.add(vendor, LIST, age)

    def write(self) -> None:
        """Writes what has been counted so far."""
        with self._lock:
            unwritten, self._unwritten = self._unwritten, {}
        for labels, (count, ages) in unwritten.items():
            self._uses.labels(*labels).inc(count)
            self._ages.labels(*labels).inc(ages)
