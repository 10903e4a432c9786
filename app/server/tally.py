"""Bounds on log lines that clients can bring about at will."""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock

import structlog

from app.errors import Problem
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


class RefusalLog:
    """A line for each refused request up to a number per minute, and then a count by status. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute_ends = self._lines = 0.0
        self._left_out: Counter[int] = Counter()

    def write(self, problem: Problem, address: str, request_id: str) -> None:
        """Logs a refusal, or counts it."""
        self.write_due(time.monotonic())
        with self._lock:
            self._lines += 1
            if self._lines > limits.REFUSALS_PER_MINUTE:
                self._left_out[problem.status] += 1
                return
        logger.warning("refused", status=problem.status, code=problem.code, address=address, request_id=request_id)

    def write_due(self, now: float) -> None:
        """Begins the next minute when it is time, and reports what was left out of the last."""
        with self._lock:
            if now < self._minute_ends:
                return
            left_out, self._left_out = self._left_out, Counter()
            self._minute_ends, self._lines = now + 60, 0
        if left_out:
            counts = {str(status): count for status, count in sorted(left_out.items())}
            logger.warning("refused_and_not_logged", count=left_out.total(), by_status=counts)
