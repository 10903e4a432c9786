"""Conversion between epoch seconds and local times, and the periods of a calendar or clock in epoch seconds."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from simulation import Site

QUARTER_SECONDS = 900


class Span(NamedTuple):
    """A day, week, month or year of a time zone: its first date, and its start and end in epoch seconds."""

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
    """The instant as a datetime in the zone."""
    return datetime.fromtimestamp(t, zone)


def wall(t: float, zone: tzinfo) -> str:
    """The instant as a local time without an offset: `2026-03-28T06:50:00`."""
    return local(t, zone).replace(tzinfo=None, microsecond=0).isoformat()


def period_start(day: date, unit: str) -> date:
    """The first date of the day, week (from Monday), month or year that contains this date."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def next_period(first: date, unit: str) -> date:
    """The first date of the day, week, month or year after the one that begins at `first`."""
    if unit == "month":
        return (first + timedelta(days=31)).replace(day=1)
    if unit == "year":
        return date(first.year + 1, 1, 1)
    return first + timedelta(days=7 if unit == "week" else 1)


def months_later(t: float, months: int) -> float:
    """The same time in UTC so many months later, on the month's last day where it has no such day."""
    moment = datetime.fromtimestamp(t, UTC)
    years, month = divmod(moment.month - 1 + months, 12)
    first = moment.replace(year=moment.year + years, month=month + 1, day=1)
    last_day = (next_period(first.date(), "month") - timedelta(days=1)).day
    return first.replace(day=min(moment.day, last_day)).timestamp()


def clock_spans(
    start: float, end: float, unit: Literal["15mins", "hour"], zone: tzinfo
) -> Iterator[tuple[float, float]]:
    """Start and end of each quarter or hour of the zone's clock, from the one that contains `start` to the last that
    begins before `end`.

    All clocks differ from UTC by whole quarters, so quarters lie on the grid of UTC. An hour ends when the clock next
    reads hh:00: on Lord Howe, where the clock changes by 30 minutes, each change makes one hour 90 minutes long.
    """

    def is_boundary(t: float) -> bool:
        return unit == "15mins" or local(t, zone).minute == 0

    boundary = QUARTER_SECONDS * (start // QUARTER_SECONDS)
    while not is_boundary(boundary):
        boundary -= QUARTER_SECONDS
    while boundary < end:
        next_boundary = boundary + QUARTER_SECONDS
        while not is_boundary(next_boundary):
            next_boundary += QUARTER_SECONDS
        yield boundary, next_boundary
        boundary = next_boundary


def calendar_spans(first: date, until: date, unit: str, zone: tzinfo) -> Iterator[Span]:
    """The days, weeks, months or years from `first` to the last that begins before `until`."""
    while first < until:
        after = next_period(first, unit)
        yield Span(first, day_start(first, zone), day_start(after, zone))
        first = after
