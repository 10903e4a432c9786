"""Log lines that callers can cause at will: so many a minute, and the number of those left out."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

PER_MINUTE = 60
MINUTE = 60.0  # seconds
MAX_TEXT = 64  # characters


class Logger(Protocol):
    """The part of a structlog logger that is needed here."""

    def warning(self, event: str, **fields: Any) -> Any: ...


class BoundedLog:
    """One kind of event, at WARNING: the first lines of each minute, then one line that counts the others."""

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
        """Writes the event with these fields, or counts it."""
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
        """Writes the count of a minute that has ended. For callers that come regularly, with or without an event."""
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
    """A caller's text, with an ellipsis for what is too long."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """A caller's text as one short field: control characters and the like become question marks."""
    return "".join(letter if letter.isprintable() else "?" for letter in cut(text, limit))
