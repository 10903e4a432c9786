"""The buckets of a series: spans of the site's clock, stamped with their start."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from sandbox.times import clock_spans, day_start, local, next_period, period_start

# Resolution: the step of the clock, or of the calendar.
CLOCK_STEPS: dict[str, Literal["15mins", "hour"]] = {"QUARTER_HOUR": "15mins", "HOUR": "hour"}
CALENDAR_STEPS = {"DAY": "day", "WEEK": "week", "MONTH": "month", "YEAR": "year"}
RESOLUTIONS = (*CLOCK_STEPS, *CALENDAR_STEPS, "TOTAL")
LONGEST = {"QUARTER_HOUR": timedelta(hours=12), "HOUR": timedelta(hours=24)}


@dataclass(frozen=True)
class Window:
    """The window of a call. An `open` window has no `to` and ends now."""

    start: float
    end: float
    resolution: str
    zone: tzinfo
    open: bool

    def is_too_long(self) -> bool:
        """Whether the span is refused: by local times or by elapsed time, since neither is documented."""
        first, last = local(self.start, self.zone), local(self.end, self.zone)
        passed = timedelta(seconds=self.end - self.start)
        shown = last.replace(tzinfo=None) - first.replace(tzinfo=None)
        if self.resolution == "DAY":
            month_later = next_period(first.date().replace(day=1), "month") - first.date().replace(day=1)
            return shown > month_later
        return max(passed, shown) > LONGEST.get(self.resolution, timedelta.max)

    def buckets(self) -> Iterator[tuple[float, float]]:
        """Start and end of each; the first holds the window's start, the last begins before its end."""
        if self.resolution == "TOTAL":
            yield self.start, self.end
        elif self.resolution in CALENDAR_STEPS:
            yield from self._dates(CALENDAR_STEPS[self.resolution])
        else:
            yield from clock_spans(self.start, self.end, CLOCK_STEPS[self.resolution], self.zone)

    def _dates(self, step: str) -> Iterator[tuple[float, float]]:
        first = period_start(local(self.start, self.zone).date(), step)
        start = day_start(first, self.zone)
        while start < self.end:
            first = next_period(first, step)
            end = day_start(first, self.zone)
            yield start, end
            start = end


def instant(text: str, zone: tzinfo) -> float:
    """Epoch seconds of a time with an offset, or of the site's clock. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
