"""Bounds log lines that callers can cause at will: a number of lines each minute, then a count of the rest.

Imports nothing of the service, so that app.server can use it as well.
"""

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

PER_MINUTE = 60
MINUTE = 60.0  # seconds
MAX_TEXT = 64  # characters of a field


class Logger(Protocol):
    """The method of a structlog logger that is used here."""

    def warning(self, event: str, **fields: Any) -> Any: ...


class BoundedLog:
    """Logs one kind of event at WARNING: the first lines of each minute, then one line that counts the rest."""

    def __init__(
        self,
        logger: Logger,
        event: str,
        per_minute: int = PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger, self._event, self._per_minute, self._clock = logger, event, per_minute, clock
        self._lock = threading.Lock()
        self._ends = float("-inf")
        self._written = self._left_out = 0

    def warning(self, **fields: Any) -> None:
        """Writes the event with these fields, or counts it if the minute has its lines."""
        self.settle()
        with self._lock:
            if self._written >= self._per_minute:
                self._left_out += 1
                return
            if not self._written:
                self._ends = self._clock() + MINUTE
            self._written += 1
        self._logger.warning(self._event, **fields)

    def settle(self) -> None:
        """Writes the count of a minute that has ended. For regular calls, so that a count needs no further event."""
        if not self._written or self._clock() < self._ends:
            return
        with self._lock:
            if self._clock() < self._ends:
                return
            left_out, self._written, self._left_out = self._left_out, 0, 0
        if left_out:
            # In an empty context: the line belongs to no request.
            context = contextvars.Context()
            context.run(self._logger.warning, self._event, left_out=left_out, per_minute=self._per_minute)


def cut(text: str, limit: int = MAX_TEXT) -> str:
    """Returns a caller's text, cut with an ellipsis if it is too long."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Returns a caller's text as a short field, with question marks for unprintable characters."""
    return "".join(character if character.isprintable() else "?" for character in cut(text, limit))
