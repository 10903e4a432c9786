"""One line in the log for each failed call to a vendor, and for each breaker that opens or closes.

The lines have fields (`extra` of the standard library's logging) that hold names, numbers and this server's own words:
no id, no query, no credential, nothing that a vendor wrote.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vendors.kit.errors import VendorError
from vendors.kit.messages import RawReply, Request

log = logging.getLogger(__name__)

# At most LINES lines in SECONDS for each kind of failure; the rest is counted.
LINES = 10
SECONDS = 60.0


@dataclass(slots=True)
class Window:
    """The lines of one kind of failure since the window began."""

    ends: float
    lines: int = 0
    left_out: int = 0


class CallLog:
    """The failed calls of one vendor in this process."""

    def __init__(self, vendor: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._vendor, self._clock = vendor, clock
        self._windows: dict[str, Window] = {}
        self._lock = threading.Lock()
        self.is_behind = False
        """Whether calls were left out whose number is not in the log yet."""

    def failed(
        self,
        request: Request,
        failure: VendorError,
        rows: int | None = None,
        *,
        raw: RawReply | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Writes a call's failure: its reply, or the seconds that it took without one.

        rows: how many rows of the reply could not be read, if others could.
        """
        members = {
            "method": request.method,
            "path": request.template,
            "status": raw.status if raw else None,
            "code": failure.code,
            "why": failure.why or None,
            "error": failure.cause or None,
            "milliseconds": round(1000 * (raw.seconds if raw else seconds)),
            "attempt": request.attempt,
            "rows": rows,
        }
        with self._lock:
            left_out = self._left_out(failure.code)
        if left_out is not None:
            self._write("vendor call failed", members | {"left_out": left_out or None})

    def catch_up(self) -> None:
        """Writes how many calls were left out in windows that are over. Called when calls succeed again."""
        with self._lock:
            now = self._clock()
            over = {code: window.left_out for code, window in self._windows.items() if window.ends <= now}
            for code in over:
                del self._windows[code]
            self.is_behind = any(window.left_out for window in self._windows.values())
        for code, left_out in over.items():
            if left_out:
                self._write("further vendor calls failed", {"code": code, "left_out": left_out})

    def breaker(self, url: str, is_open: bool) -> None:
        """Writes that a cloud is no longer asked, or asked again."""
        self._write(f"vendor breaker {'opened' if is_open else 'closed'}", {"url": url})

    def _left_out(self, code: str) -> int | None:
        """How many calls were left out before this one; None if it is left out as well."""
        now = self._clock()
        window = self._windows.get(code)
        left_out = 0
        if window is None or window.ends <= now:
            left_out = window.left_out if window else 0
            window = self._windows[code] = Window(now + SECONDS)
        if window.lines == LINES:
            window.left_out += 1
            self.is_behind = True
            return None
        window.lines += 1
        return left_out

    def _write(self, event: str, members: dict[str, Any]) -> None:
        known = {name: value for name, value in members.items() if value is not None}
        log.warning(event, extra={"vendor": self._vendor} | known)
