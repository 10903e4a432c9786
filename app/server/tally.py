"""Bounds on log lines about what goes on for long."""

from __future__ import annotations

import structlog

from app.server import limits

logger = structlog.stdlib.get_logger("app.server")


class Tally:
    """Logs an event with how often it occurred, at most once in TALLY_SECONDS. For the main loop only."""

    def __init__(self, event: str) -> None:
        self._event, self._count, self._next = event, 0, 0.0
        self._last: dict[str, object] = {}

    def add(self, **about: object) -> None:
        """Counts an occurrence; of several, the last is described in the line."""
        self._count += 1
        self._last = about

    def write_due(self, now: float) -> None:
        """Writes the line if there is something to report and the last line is old enough."""
        if self._count and now >= self._next:
            logger.warning(self._event, count=self._count, **self._last)
            self._count, self._next = 0, now + limits.TALLY_SECONDS
