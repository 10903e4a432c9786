"""Local dates and the spans of a calendar, as epoch seconds."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulation import Site


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


def spans(first: date, until: date, step: str, zone: tzinfo) -> Iterator[Span]:
    """The spans from the one that begins at `first` to the last that begins before `until`."""
    while first < until:
        after = following(first, step)
        yield Span(first, day_start(first, zone), day_start(after, zone))
        first = after
