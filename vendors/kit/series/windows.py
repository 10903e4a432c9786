"""Windows of time and their intervals, on the clock of a site.

Instants are datetimes in UTC: the difference of two of the same zone would be one of wall clocks. Borders are
instants of the site's clock: quarters lie on UTC's grid (every offset since 2015 is a multiple of 15 minutes), an
hour begins wherever the clock reads hh:00, a day at the first instant of its date, also where midnight is skipped.
So days have 23, 24, 24.5 or 25 hours, and where the clock moves by half an hour an hour lasts 90 minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

QUARTER = timedelta(minutes=15)
# A quarter that begins within these minutes begins the hour; exactly at hh:00 on every clock but an invented one.
MINUTES = 15
DAY = timedelta(days=1)


class CalendarUnit(StrEnum):
    """The span of a calendar that one vendor call or one row covers."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Level(StrEnum):
    """How long the intervals of a series are."""

    QUARTER = "15mins"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"

    @property
    def is_fine(self) -> bool:
        """Shorter than a day."""
        return self in (Level.QUARTER, Level.HOUR)


# No vendor's cloud is older; before it some clocks were off UTC by odd minutes.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# Beyond these, a clock or a window of the usual length may have no date.
CALENDAR = datetime(2, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
# The longest window on the site's clock, and how much is given when only its end is known.
LONGEST = {
    Level.QUARTER: timedelta(days=31),
    Level.HOUR: timedelta(days=92),
    Level.DAY: timedelta(days=3 * 366),
    Level.MONTH: timedelta(days=30 * 366),
}
USUAL = {
    Level.QUARTER: timedelta(days=1),
    Level.HOUR: timedelta(days=1),
    Level.DAY: timedelta(days=31),
    Level.MONTH: timedelta(days=365),
}


class BadWindow(ValueError):
    """A window that cannot be asked for; `field` is the parameter at fault."""

    def __init__(self, field: str, says: str) -> None:
        super().__init__(f"{field}: {says}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Window:
    """The intervals of one level from border to border; none where start and end are equal."""

    level: Level
    start: datetime
    end: datetime
    zone: tzinfo

    def borders(self) -> Iterator[datetime]:
        """Start, every border in between, and end."""
        at = self.start
        while at < self.end:
            yield at
            at = next_border(self.level, at, self.zone)
        yield self.end


@dataclass(frozen=True, slots=True)
class Asked:
    """A window as it was asked for: any part may be missing, and times may lack an offset."""

    level: Level = Level.HOUR
    start: datetime | None = None
    end: datetime | None = None

    def widened(self, zone: tzinfo, now: datetime, since: datetime | None) -> Window:
        """The window of whole intervals on the site's clock, up to now and not from before the site was there.

        Times without an offset are the site's: of a doubled hour the earlier, a skipped one moved forward. Raises
        BadWindow for an empty or a too long one.
        """
        end = now if self.end is None else instant("end", self.end, zone)
        start = end - USUAL[self.level] if self.start is None else instant("start", self.start, zone)
        if start >= end and self.end is not None:
            raise BadWindow("end", "The window must end after its start.")
        if wall_time(end, zone) - wall_time(start, zone) > LONGEST[self.level]:
            days = LONGEST[self.level].days
            raise BadWindow("start", f"A window of {self.level} intervals may be {days} days long at most.")
        begins, ends = max(start, since or EARLIEST, EARLIEST), min(end, now)
        if begins >= ends:
            return Window(self.level, ends, ends, zone)
        last = interval_start(self.level, ends, zone)
        until = last if last == ends else next_border(self.level, last, zone)
        return Window(self.level, interval_start(self.level, begins, zone), until, zone)


def instant(field: str, time: datetime, zone: tzinfo) -> datetime:
    """The time as an instant in UTC; one without an offset is on the zone's clock. Raises BadWindow."""
    try:
        at = (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        at = datetime.max.replace(tzinfo=UTC)
    first, last = CALENDAR
    if not first <= at < last:
        raise BadWindow(field, "This is no time of a calendar.")
    return at


def wall_time(at: datetime, zone: tzinfo) -> datetime:
    """What the zone's clock reads, without an offset."""
    return at.astimezone(zone).replace(tzinfo=None)


def day_start(day: date, zone: tzinfo) -> datetime:
    """The first instant of a date: midnight, or what follows where the clock skips it."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def interval_start(level: Level, at: datetime, zone: tzinfo) -> datetime:
    """The last border at or before the instant."""
    if level.is_fine:
        quarter = at - timedelta(seconds=at.timestamp() % QUARTER.total_seconds())
        while level is Level.HOUR and quarter.astimezone(zone).minute >= MINUTES:
            quarter -= QUARTER
        return quarter
    day = at.astimezone(zone).date()
    return day_start(day.replace(day=1) if level is Level.MONTH else day, zone)


def next_border(level: Level, at: datetime, zone: tzinfo) -> datetime:
    """The first border after the instant."""
    if level.is_fine:
        quarter = interval_start(Level.QUARTER, at, zone) + QUARTER
        while level is Level.HOUR and quarter.astimezone(zone).minute >= MINUTES:
            quarter += QUARTER
        return quarter
    day = at.astimezone(zone).date()
    return day_start(next_month(day) if level is Level.MONTH else day + DAY, zone)


def next_month(day: date) -> date:
    """The first date of the month after this one."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def period_start(unit: CalendarUnit, day: date) -> date:
    """The first date of the day, month or year that this date belongs to."""
    if unit is CalendarUnit.DAY:
        return day
    return day.replace(day=1) if unit is CalendarUnit.MONTH else day.replace(month=1, day=1)


def next_period(unit: CalendarUnit, first: date) -> date:
    """The first date of the next day, month or year."""
    if unit is CalendarUnit.YEAR:
        return date(first.year + 1, 1, 1)
    return next_month(first) if unit is CalendarUnit.MONTH else first + DAY


def hours(span: timedelta) -> float:
    """The span in hours, by which power becomes energy and energy power."""
    return span.total_seconds() / 3600
