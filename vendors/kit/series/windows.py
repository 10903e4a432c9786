"""Windows of time and their intervals, on the clock of a site.

Instants are datetimes in UTC: Python subtracts two datetimes of one zone as wall clock times, which is wrong across a
clock change. Boundaries of intervals follow the site's clock. Quarters lie on the grid of UTC, since every offset since
2015 is a multiple of 15 minutes. An hour begins where the clock reads hh:00, a day at the first instant of its date,
even if midnight is skipped. So a day has 23, 24, 24.5 or 25 hours, and an hour lasts 90 minutes where the clock moves
by half an hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

QUARTER = timedelta(minutes=15)
# An hour begins with the quarter at whose start the site's clock reads less than hh:15: hh:00 in every real time zone.
HOUR_START_MINUTES = 15
DAY = timedelta(days=1)


class CalendarUnit(StrEnum):
    """Calendar period that a vendor call or a row covers."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Level(StrEnum):
    """Length of a series' intervals."""

    QUARTER = "15mins"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"

    @property
    def is_fine(self) -> bool:
        """Whether the intervals are shorter than a day."""
        return self in (Level.QUARTER, Level.HOUR)


# No window begins earlier: no vendor has older data, and some older offsets are not multiples of 15 minutes.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# Bounds of requested times. Beyond them a conversion to the site's clock, or the start of a default window, could leave
# the years 1 to 9999, which is all that datetime can represent.
TIME_BOUNDS = datetime(2, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
# The longest window, measured in local time.
LONGEST = {
    Level.QUARTER: timedelta(days=31),
    Level.HOUR: timedelta(days=92),
    Level.DAY: timedelta(days=3 * 366),
    Level.MONTH: timedelta(days=30 * 366),
}
# The length of a window without a start.
DEFAULT_LENGTH = {
    Level.QUARTER: timedelta(days=1),
    Level.HOUR: timedelta(days=1),
    Level.DAY: timedelta(days=31),
    Level.MONTH: timedelta(days=365),
}


class BadWindow(ValueError):
    """A request for an impossible window; `field` is the parameter at fault."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Window:
    """The intervals of one level between two boundaries; none if start and end are equal."""

    level: Level
    start: datetime
    end: datetime
    zone: tzinfo

    def boundaries(self) -> Iterator[datetime]:
        """Start, every boundary in between, and end."""
        at = self.start
        while at < self.end:
            yield at
            at = next_boundary(self.level, at, self.zone)
        yield self.end


@dataclass(frozen=True, slots=True)
class RequestedWindow:
    """A window as requested: start and end may be missing, and times may lack an offset."""

    level: Level = Level.HOUR
    start: datetime | None = None
    end: datetime | None = None

    def widened(self, zone: tzinfo, now: datetime, since: datetime | None) -> Window:
        """The window widened to whole intervals on the site's clock, cut off at `now` and at `since`.

        Times without an offset are on the site's clock. A time in a repeated hour means its first occurrence; a time in
        a skipped hour is moved forward by the length of the gap. Raises BadWindow for a window that is empty or too
        long.
        """
        end = now if self.end is None else instant("end", self.end, zone)
        start = end - DEFAULT_LENGTH[self.level] if self.start is None else instant("start", self.start, zone)
        if start >= end and self.end is not None:
            raise BadWindow("end", "The window must end after its start.")
        if wall_time(end, zone) - wall_time(start, zone) > LONGEST[self.level]:
            days = LONGEST[self.level].days
            raise BadWindow("start", f"A window of {self.level} intervals may be {days} days long at most.")
        start, end = max(start, since or EARLIEST, EARLIEST), min(end, now)
        if start >= end:
            return Window(self.level, end, end, zone)
        last_start = interval_start(self.level, end, zone)
        last_boundary = end if last_start == end else next_boundary(self.level, last_start, zone)
        return Window(self.level, interval_start(self.level, start, zone), last_boundary, zone)


def instant(field: str, time: datetime, zone: tzinfo) -> datetime:
    """The time as an instant in UTC; a time without an offset is on the zone's clock. Raises BadWindow."""
    try:
        at = (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        at = datetime.max.replace(tzinfo=UTC)
    earliest, latest = TIME_BOUNDS
    if not earliest <= at < latest:
        raise BadWindow(field, f"A time must lie between the years {earliest.year} and {latest.year}.")
    return at


def wall_time(at: datetime, zone: tzinfo) -> datetime:
    """The reading of the zone's clock, without an offset."""
    return at.astimezone(zone).replace(tzinfo=None)


def day_start(day: date, zone: tzinfo) -> datetime:
    """The first instant of a date: midnight, or the instant after it where the clock skips midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def interval_start(level: Level, at: datetime, zone: tzinfo) -> datetime:
    """The last boundary at or before the instant."""
    if level.is_fine:
        quarter = at - timedelta(seconds=at.timestamp() % QUARTER.total_seconds())
        while level is Level.HOUR and quarter.astimezone(zone).minute >= HOUR_START_MINUTES:
            quarter -= QUARTER
        return quarter
    day = at.astimezone(zone).date()
    return day_start(day.replace(day=1) if level is Level.MONTH else day, zone)


def next_boundary(level: Level, at: datetime, zone: tzinfo) -> datetime:
    """The first boundary after the instant."""
    if level.is_fine:
        quarter = interval_start(Level.QUARTER, at, zone) + QUARTER
        while level is Level.HOUR and quarter.astimezone(zone).minute >= HOUR_START_MINUTES:
            quarter += QUARTER
        return quarter
    day = at.astimezone(zone).date()
    return day_start(next_month(day) if level is Level.MONTH else day + DAY, zone)


def next_month(day: date) -> date:
    """The first date of the next month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def period_start(unit: CalendarUnit, day: date) -> date:
    """The first date of the day, month or year that contains this date."""
    if unit is CalendarUnit.DAY:
        return day
    return day.replace(day=1) if unit is CalendarUnit.MONTH else day.replace(month=1, day=1)


def next_period(unit: CalendarUnit, first: date) -> date:
    """The first date of the day, month or year after the period that begins at `first`."""
    if unit is CalendarUnit.YEAR:
        return date(first.year + 1, 1, 1)
    return next_month(first) if unit is CalendarUnit.MONTH else first + DAY


def hours(span: timedelta) -> float:
    """The span in hours, for conversion between power and energy."""
    return span.total_seconds() / 3600
