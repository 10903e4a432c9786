"""Logs each failed call to a vendor, and each breaker that opens or closes, with one line.

The lines have fields (`extra` of the standard library's logging) that hold names, numbers and this server's texts,
never an id, a query, a credential or a vendor's text.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vendors.kit.errors import VendorError
from vendors.kit.messages import RawReply, Request

logger = logging.getLogger(__name__)

# At most LINES lines per SECONDS for each kind of failure; further failures are only counted.
LINES = 10
SECONDS = 60.0


@dataclass(slots=True)
class Period:
    """A period of SECONDS for one kind of failure, with the numbers of lines written and left out."""

    ends_at: float
    lines: int = 0
    left_out: int = 0


class CallLog:
    """Logs one vendor's failed calls in this process."""

    def __init__(self, vendor: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._vendor, self._clock = vendor, clock
        self._periods: dict[str, Period] = {}
        self._lock = threading.Lock()
        self.is_behind = False
        """Whether failures were left out whose number is not in the log yet."""

    def failed(
        self,
        request: Request,
        failure: VendorError,
        rows: int | None = None,
        *,
        raw: RawReply | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Writes a call's failure.

        rows: the number of unreadable rows in a reply whose other rows could be read.
        raw: the reply.
        seconds: the duration of a call without a reply.
        """
        with self._lock:
            left_out = self._left_out(failure.code)
        if left_out is not None:
            members = _members_of(request, failure, raw, seconds)
            self._write("vendor call failed", members | {"rows": rows, "left_out": left_out or None})

    def catch_up(self) -> None:
        """Writes how many failures were left out in periods that have ended. Called when calls succeed again."""
        with self._lock:
            now = self._clock()
            ended = {code: period.left_out for code, period in self._periods.items() if period.ends_at <= now}
            for code in ended:
                del self._periods[code]
            self.is_behind = any(period.left_out for period in self._periods.values())
        for code, left_out in ended.items():
            if left_out:
                self._write("further vendor calls failed", {"code": code, "left_out": left_out})

    def breaker(self, url: str, is_open: bool) -> None:
        """Writes that calls to a cloud have stopped or resumed."""
        self._write(f"vendor breaker {'opened' if is_open else 'closed'}", {"url": url})

    def _left_out(self, code: str) -> int | None:
        """Counts a failure. Returns how many were left out before its line, or None if it is left out as well."""
        now = self._clock()
        period = self._periods.get(code)
        left_out = 0
        if period is None or period.ends_at <= now:
            left_out = period.left_out if period else 0
            period = self._periods[code] = Period(now + SECONDS)
        if period.lines == LINES:
            period.left_out += 1
            self.is_behind = True
            return None
        period.lines += 1
        return left_out

    def _write(self, event: str, members: dict[str, Any]) -> None:
        known = {name: value for name, value in members.items() if value is not None}
        logger.warning(event, extra={"vendor": self._vendor} | known)


def _members_of(request: Request, failure: VendorError, raw: RawReply | None, seconds: float) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.template,
        "status": raw.status if raw else None,
        "code": failure.code,
        "why": failure.why or None,
        "error": failure.cause or None,
        "milliseconds": round(1000 * (raw.seconds if raw else seconds)),
        "attempt": request.attempt,
    }
