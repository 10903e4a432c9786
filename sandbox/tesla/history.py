"""Histories of a site: rows stamped with their start, in Wh.

A call shows one day, week, month or year: the one that holds `end_date`, from `start_date` on. That day itself is
shown up to `end_date`, and therefore empty when `end_date` is its midnight: for a whole day one asks up to 23:59:59.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from sandbox.replies import Refused
from sandbox.tesla.constants import LAG_SECONDS, NO_CHARGES, NO_OUTAGES
from sandbox.tesla.envelope import failure
from sandbox.tesla.rows import row
from sandbox.tesla.sites import TeslaSite
from sandbox.times import calendar_spans, day_start, local, period_start, zone_of

ROW_SECONDS = 300
# Period: the step of its rows; a day has rows of five minutes.
STEPS = {"day": "", "week": "day", "month": "day", "year": "month", "lifetime": "year"}
YEARS = range(2000, 2100)
# As captured, rows of months and years have no sums.
WITHOUT_SUMS = ("month", "year")


@dataclass(frozen=True)
class Window:
    """The window of a call. Its borders lie on the grid of five minutes; `last` is the date that holds `end_date`."""

    period: str
    start: float
    end: float
    last: datetime
    zone: ZoneInfo

    def rows(self, seen: TeslaSite, now: float) -> Iterator[dict[str, Any]]:
        """The rows that the cloud has."""
        ready = ROW_SECONDS * ((now - LAG_SECONDS) // ROW_SECONDS)
        begun = seen.site.operational_since.timestamp()
        step = STEPS[self.period]
        for start, end in self._spans(step) if step else self._fine(ready):
            if end > begun and start < ready:
                first, last = max(start, self.start), min(end, self.end, ready)
                energies = row(seen, first, max(first, last), with_sums=step not in WITHOUT_SUMS)
                yield {"timestamp": local(start, self.zone).isoformat(), **energies}

    def _fine(self, ready: float) -> Iterator[tuple[float, float]]:
        start = self.start
        while start < min(self.end, ready):
            yield start, start + ROW_SECONDS
            start += ROW_SECONDS

    def _spans(self, step: str) -> Iterator[tuple[float, float]]:
        first = period_start(local(self.start, self.zone).date(), step)
        for span in calendar_spans(first, self.last.date() + timedelta(days=1), step, self.zone):
            yield span.start, span.end


def calendar(seen: TeslaSite, time_zone: str, now: float) -> dict[str, Any]:
    """Answers `calendar_history`: energies, or outages, of which there were none. Raises Refused."""
    kind = request.args.get("kind")
    if kind == "backup":
        return NO_OUTAGES
    if kind != "energy":
        raise _bad_request("kind must be energy or backup")
    window = _window(seen, now)
    history: dict[str, Any] = {} if seen.batteries else {"serial_number": seen.uid}
    return history | {
        "period": window.period,
        "installation_time_zone": time_zone,
        "time_series": list(window.rows(seen, now)) or None,
    }


def telemetry() -> dict[str, Any]:
    """Answers `telemetry_history`: the charging of vehicles, of which there was none. Raises Refused."""
    if request.args.get("kind") != "charge":
        raise _bad_request("kind must be charge")
    return NO_CHARGES


def _window(seen: TeslaSite, now: float) -> Window:
    period = request.args.get("period", "day")
    if period not in STEPS:
        raise _bad_request(f"period must be one of {', '.join(STEPS)}")
    zone = _zone(seen)
    start_date, end = _instant("start_date"), _instant("end_date") or now
    last = local(end, zone)
    start = day_start(period_start(last.date(), period), zone)
    if period == "lifetime":
        start = seen.site.operational_since.timestamp()
    if start_date is not None and start_date > end:
        raise _bad_request("end_date is before start_date")
    start = max(start, start_date or start)
    return Window(
        period, ROW_SECONDS * (start // ROW_SECONDS), float(ROW_SECONDS * ceil(end / ROW_SECONDS)), last, zone
    )


def _zone(seen: TeslaSite) -> ZoneInfo:
    name = request.args.get("time_zone")
    if not name:
        return zone_of(seen.site)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _bad_request("time_zone must be an IANA name") from None


def _instant(name: str) -> float | None:
    """A time with its offset. A `+` that was not encoded arrives as a blank, and is refused."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_request(f"{name} must be a time as in RFC 3339") from None
    if moment.tzinfo is None or " " in text:
        raise _bad_request(f"{name} must have an offset")
    if moment.year not in YEARS:
        raise _bad_request(f"{name} is out of range")
    return moment.timestamp()


def _bad_request(description: str) -> Refused:
    return Refused(failure(400, description))
