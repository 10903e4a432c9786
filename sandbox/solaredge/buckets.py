"""The spans that a series is cut into: on the site's clock, stamped with their start."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sandbox.times import begin, day_start, following, local

_QUARTER = 900
# Resolution: the calendar's step.
_CALENDAR = {"DAY": "day", "WEEK": "week", "MONTH": "month", "YEAR": "year"}
RESOLUTIONS = ("QUARTER_HOUR", "HOUR", *_CALENDAR, "TOTAL")
_LONGEST = {"QUARTER_HOUR": timedelta(hours=12), "HOUR": timedelta(hours=24)}


@dataclass(frozen=True)
class Window:
    """What a call asks for. `open` is a window without `to`: it ends now."""

    start: float
    end: float
    resolution: str
    zone: tzinfo
    open: bool

    def is_too_long(self) -> bool:
        """Whether the span is refused, by the clock on the wall or by the time that passes: nobody knows which."""
        first, last = local(self.start, self.zone), local(self.end, self.zone)
        passed = timedelta(seconds=self.end - self.start)
        shown = last.replace(tzinfo=None) - first.replace(tzinfo=None)
        if self.resolution == "DAY":
            month_later = following(first.date().replace(day=1), "month") - first.date().replace(day=1)
            return shown > month_later
        return max(passed, shown) > _LONGEST.get(self.resolution, timedelta.max)

    def buckets(self) -> Iterator[tuple[float, float]]:
        """Start and end of each; the first holds the window's start, the last begins before its end."""
        if self.resolution == "TOTAL":
            yield self.start, self.end
        elif self.resolution in _CALENDAR:
            yield from self._dates(_CALENDAR[self.resolution])
        else:
            yield from self._clock()

    def _dates(self, step: str) -> Iterator[tuple[float, float]]:
        first = begin(local(self.start, self.zone).date(), step)
        start = day_start(first, self.zone)
        while start < self.end:
            first = following(first, step)
            end = day_start(first, self.zone)
            yield start, end
            start = end

    def _clock(self) -> Iterator[tuple[float, float]]:
        """Quarters, or hours from one full hour of the clock to the next."""
        start = _QUARTER * (self.start // _QUARTER)
        while not self._is_border(start):
            start -= _QUARTER
        while start < self.end:
            end = start + _QUARTER
            while not self._is_border(end):
                end += _QUARTER
            yield start, end
            start = end

    def _is_border(self, t: float) -> bool:
        return self.resolution == "QUARTER_HOUR" or local(t, self.zone).minute == 0


def instant(text: str, zone: tzinfo) -> float:
    """Epoch seconds of a time with an offset, or of the site's clock. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
