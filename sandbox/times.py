"""Local dates, and the spans of a calendar and a clock, as epoch seconds."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from simulation import Site

QUARTER_SECONDS = 900


class Span(NamedTuple):
    """A day, week, month or year of a clock: its first date, and where it begins and ends."""

    first: date
    start: float
    end: float


def zone_of(site: Site) -> ZoneInfo:
    """The site's time zone."""
    return ZoneInfo(site.place.timezone)


def day_start(day: date, zone: tzinfo) -> float:
    """The first instant of the date, also where the clock skips midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def local(t: float, zone: tzinfo) -> datetime:
    """The instant on that clock."""
    return datetime.fromtimestamp(t, zone)


def wall(t: float, zone: tzinfo) -> str:
    """The instant as that clock shows it, without an offset: `2026-03-28T06:50:00`."""
    return local(t, zone).replace(tzinfo=None, microsecond=0).isoformat()


def begin(day: date, step: str) -> date:
    """The first date of the day, week (from Monday), month or year that holds the date."""
    if step == "week":
        return day - timedelta(days=day.weekday())
    if step == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if step == "year" else day


def following(first: date, step: str) -> date:
    """The first date of the next day, week, month or year."""
    if step == "month":
        return (first + timedelta(days=31)).replace(day=1)
    if step == "year":
        return date(first.year + 1, 1, 1)
    return first + timedelta(days=7 if step == "week" else 1)


def clock_spans(
    start: float, end: float, step: Literal["15mins", "hour"], zone: tzinfo
) -> Iterator[tuple[float, float]]:
    """Start and end of the quarters or hours of a clock.

    The first one holds `start`, the last one begins before `end`. All clocks differ from UTC by whole quarters, so
    quarters lie on the grid of UTC. An hour ends at the next full hour that the clock shows: on Lord Howe, whose
    clock changes by 30 minutes, one hour lasts 90 minutes on each of the two nights on which it does.
    """

    def is_border(t: float) -> bool:
        return step == "15mins" or local(t, zone).minute == 0

    border = QUARTER_SECONDS * (start // QUARTER_SECONDS)
    while not is_border(border):
        border -= QUARTER_SECONDS
    while border < end:
        following_border = border + QUARTER_SECONDS
        while not is_border(following_border):
            following_border += QUARTER_SECONDS
        yield border, following_border
        border = following_border


def spans(first: date, until: date, step: str, zone: tzinfo) -> Iterator[Span]:
    """The days, weeks, months or years of a calendar, from `first` on to the last that begins before `until`."""
    while first < until:
        after = following(first, step)
        yield Span(first, day_start(first, zone), day_start(after, zone))
        first = after
