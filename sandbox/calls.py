"""Counts calls of each vendor's API by path, and writes by site; refused ones count too, and calls that met a fault."""

import threading
from collections import Counter, defaultdict


class Calls:
    """Counts per vendor, and per path below its base or per site."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(self, vendor: str, key: str) -> None:
        """One more call of that path, or write of that site."""
        with self._lock:
            self._counts[vendor][key] += 1

    def of(self, vendor: str) -> dict[str, int]:
        """Path or site to count, sorted."""
        with self._lock:
            return dict(sorted(self._counts[vendor].items()))

    def forget(self, vendor: str) -> None:
        """Starts at zero again."""
        with self._lock:
            self._counts.pop(vendor, None)
