"""Histories of a site: rows stamped with their start, in Wh.

A call shows one day, week, month or year: the one that holds `end_date`, from `start_date` on. That day itself is
shown up to `end_date`, and therefore empty when `end_date` is its midnight: for a whole day one asks up to 23:59:59.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Response, request

from sandbox.replies import Refused
from sandbox.tesla.constants import LAG_SECONDS, NO_CHARGES, NO_OUTAGES
from sandbox.tesla.rows import row
from sandbox.tesla.sites import TeslaSite
from sandbox.times import begin, day_start, local, spans, zone_of

if TYPE_CHECKING:
    from sandbox.tesla.dialect import Tesla

_ROW = 300
# Period: the step of its rows; a day has rows of five minutes.
_STEPS = {"day": "", "week": "day", "month": "day", "year": "month", "lifetime": "year"}
_YEARS = range(2000, 2100)
# As captured, rows of months and years have no sums.
_WITHOUT_SUMS = ("month", "year")


@dataclass(frozen=True)
class Window:
    """What a call asks for. Borders lie on the grid of five minutes, `last` is the date that holds `end_date`."""

    period: str
    start: float
    end: float
    last: datetime
    zone: ZoneInfo

    def rows(self, seen: TeslaSite, now: float) -> Iterator[dict[str, Any]]:
        """The rows that the cloud has."""
        ready = _ROW * ((now - LAG_SECONDS) // _ROW)
        begun = seen.site.operational_since.timestamp()
        step = _STEPS[self.period]
        for start, end in self._spans(step) if step else self._fine(ready):
            if end > begun and start < ready:
                first, last = max(start, self.start), min(end, self.end, ready)
                energies = row(seen, first, max(first, last), with_sums=step not in _WITHOUT_SUMS)
                yield {"timestamp": local(start, self.zone).isoformat(), **energies}

    def _fine(self, ready: float) -> Iterator[tuple[float, float]]:
        start = self.start
        while start < min(self.end, ready):
            yield start, start + _ROW
            start += _ROW

    def _spans(self, step: str) -> Iterator[tuple[float, float]]:
        first = begin(local(self.start, self.zone).date(), step)
        for span in spans(first, self.last.date() + timedelta(days=1), step, self.zone):
            yield span.start, span.end


class Histories:
    """The history endpoints of a cloud. Their answers are the members of `response`."""

    def __init__(self, cloud: "Tesla") -> None:
        self._cloud = cloud

    def calendar(self, site_id: str) -> dict[str, Any]:
        """`calendar_history`: energies, or outages, of which there were none."""
        seen, kind = self._cloud.site(site_id), request.args.get("kind")
        if kind == "backup":
            return NO_OUTAGES
        if kind != "energy":
            raise self._bad("kind must be energy or backup")
        window = self._window(seen)
        answer: dict[str, Any] = {} if seen.batteries else {"serial_number": seen.uid}
        answer |= {
            "period": window.period,
            "installation_time_zone": self._cloud.time_zone(seen),
            "time_series": list(window.rows(seen, self._cloud.now)) or None,
        }
        return answer

    def telemetry(self, site_id: str) -> dict[str, Any]:
        """`telemetry_history`: the charging of vehicles, of which there was none."""
        self._cloud.site(site_id)
        if request.args.get("kind") != "charge":
            raise self._bad("kind must be charge")
        return NO_CHARGES

    def _window(self, seen: TeslaSite) -> Window:
        period = request.args.get("period", "day")
        if period not in _STEPS:
            raise self._bad(f"period must be one of {', '.join(_STEPS)}")
        zone = self._zone(seen)
        start, end = self._instant("start_date"), self._instant("end_date") or self._cloud.now
        last = local(end, zone)
        first = day_start(begin(last.date(), period), zone)
        if period == "lifetime":
            first = seen.site.operational_since.timestamp()
        if start is not None and start > end:
            raise self._bad("end_date is before start_date")
        first = max(first, start or first)
        return Window(period, _ROW * (first // _ROW), float(_ROW * ceil(end / _ROW)), last, zone)

    def _zone(self, seen: TeslaSite) -> ZoneInfo:
        name = request.args.get("time_zone")
        if not name:
            return zone_of(seen.site)
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise self._bad("time_zone must be an IANA name") from None

    def _instant(self, name: str) -> float | None:
        """A time with its offset. A `+` that was not encoded arrives as a blank, and is refused."""
        text = request.args.get(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self._bad(f"{name} must be a time as in RFC 3339") from None
        if moment.tzinfo is None or " " in text:
            raise self._bad(f"{name} must have an offset")
        if moment.year not in _YEARS:
            raise self._bad(f"{name} is out of range")
        return moment.timestamp()

    def _bad(self, why: str) -> Refused:
        response: Response = self._cloud.error(400, why)
        return Refused(response)
