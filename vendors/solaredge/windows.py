"""What one call for a series may span, on the site's clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from vendors.kit import CalendarUnit, Level, day_start, next_period, period_start, wall_time

# Start and end, as the site's clock shows them.
LocalWindow = tuple[datetime, datetime]
# The calendar unit that one call covers; a day or a part of it at the other levels.
UNITS = {Level.DAY: CalendarUnit.MONTH, Level.MONTH: CalendarUnit.YEAR}
# Where a day is cut, by level and whether the clock changes on it: a call gives 12 hours of quarters or 24 of hours.
CUTS = {(Level.QUARTER, False): (12,), (Level.QUARTER, True): (10, 20), (Level.HOUR, True): (12,)}


def instant(at: datetime, clock: tzinfo) -> datetime:
    """A time on the site's clock as an instant in UTC."""
    return at.replace(tzinfo=clock).astimezone(UTC)


def windows(level: Level, start: datetime, end: datetime, clock: tzinfo) -> Iterator[LocalWindow]:
    """What one call may ask for, on the site's clock: parts of a day, a month or a year.

    Days on which the clock changes are cut finer, since nobody knows whether the vendor measures its limits by the
    clock or by what has passed; and no window begins or ends in the hours in which clocks change.
    """
    unit = UNITS.get(level, CalendarUnit.DAY)
    day = period_start(unit, start.astimezone(clock).date())
    while day_start(day, clock) < end:
        after = next_period(unit, day)
        is_odd = unit is CalendarUnit.DAY and not has_24_hours(day, after, clock)
        cuts = CUTS.get((level, is_odd), ())
        borders = [datetime.combine(day, time(hour)) for hour in (0, *cuts)] + [datetime.combine(after, time())]
        yield from ((one, other) for one, other in pairwise(borders) if instant(other, clock) > start)
        day = after


def has_24_hours(day: date, after: date, clock: tzinfo) -> bool:
    """Whether the date has 24 hours, also as its clock shows them: a clock may skip the midnight after it."""
    start, end = day_start(day, clock), day_start(after, clock)
    shown = wall_time(end, clock) - wall_time(start, clock)
    return end - start == shown == timedelta(days=1)
