"""Returns freed memory to the system: glibc keeps free pages that lie between blocks in use."""

import ctypes

from app.server import limits

# None with another C library. While it runs, other threads continue unless they allocate.
malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


class MemoryTrimmer:
    """Returns this process's free pages at intervals. For the main loop only."""

    def __init__(self) -> None:
        self._next = 0.0

    def trim_if_due(self, now: float) -> None:
        """Returns free pages unless the last time was less than TRIM_SECONDS ago."""
        if now >= self._next:
            self._next = now + limits.TRIM_SECONDS
            if malloc_trim:
                malloc_trim(0)
