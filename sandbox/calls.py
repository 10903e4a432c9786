"""Counts calls of each vendor's API by path; refused and faulted calls count too."""

import threading
from collections import Counter, defaultdict


class Calls:
    """Counts per vendor and path below its base."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(self, vendor: str, path: str) -> None:
        """One more call of that path."""
        with self._lock:
            self._counts[vendor][path] += 1

    def of(self, vendor: str) -> dict[str, int]:
        """Path to count, by path."""
        with self._lock:
            return dict(sorted(self._counts[vendor].items()))

    def forget(self, vendor: str) -> None:
        """Starts at zero again."""
        with self._lock:
            self._counts.pop(vendor, None)
