"""Memory that has become free goes back to the system. glibc keeps free pages that lie between blocks in use."""

from __future__ import annotations

import ctypes

from app.server import limits

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""glibc's. Threads run on meanwhile, but wait if they need memory."""


class Memory:
    """This process's. For the main loop only."""

    def __init__(self) -> None:
        self._next = 0.0

    def give_back_due(self, now: float) -> None:
        """Gives back what is free, unless it did so a short time ago."""
        if now >= self._next:
            self._next = now + limits.TRIM_SECONDS
            if _trim:
                _trim(0)
