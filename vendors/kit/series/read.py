"""Reads a vendor's series tile by tile, only as far as a page of intervals needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import partial

from vendors.kit.series.resample import Interval, resample, together
from vendors.kit.series.rows import Row
from vendors.kit.series.windows import CalendarUnit, Window, day_start, next_period, period_start

# Calls per page, so that a page costs its caller a bounded part of the vendor's quota.
MAX_CALLS = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows of one span, a list for each device, read with one or more calls. Tiles lie edge to edge."""

    start: datetime
    end: datetime
    read: Callable[[], Sequence[list[Row]]]
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Series:
    """Description of a series, known before any of its rows is read.

    tiles: the tiles between two instants, both borders of intervals. They do not depend on the requested window, so
    that neighbouring pages share replies. lag: how long a row usually takes to arrive. nights: whether rows are absent
    while a device sleeps. since: when the site or device went into service.
    """

    zone: tzinfo
    tiles: Callable[[datetime, datetime], Iterable[Tile]]
    lag: timedelta
    nights: bool = False
    since: datetime | None = None


def calendar_tiles(
    unit: CalendarUnit, zone: tzinfo, read: Callable[[date], Sequence[list[Row]]], calls: int = 1
) -> Callable[[datetime, datetime], Iterator[Tile]]:
    """Tiles of one day, month or year of the zone's calendar, for vendors whose calls name a date."""

    def tiles(start: datetime, end: datetime) -> Iterator[Tile]:
        first = period_start(unit, start.astimezone(zone).date())
        while day_start(first, zone) < end:
            after = next_period(unit, first)
            yield Tile(day_start(first, zone), day_start(after, zone), partial(read, first), calls)
            first = after

    return tiles


def fixed_tiles(
    days: int, zone: tzinfo, read: Callable[[datetime, datetime], Sequence[list[Row]]], calls: int = 1
) -> Callable[[datetime, datetime], Iterator[Tile]]:
    """Tiles of so many dates of the zone's calendar, for vendors whose calls name two instants.

    They begin at dates whose count since year 1 divides by `days`, wherever the window begins.
    """

    def tiles(start: datetime, end: datetime) -> Iterator[Tile]:
        first = start.astimezone(zone).date()
        first -= timedelta(days=first.toordinal() % days)
        while day_start(first, zone) < end:
            after = first + timedelta(days=days)
            begins, ends = day_start(first, zone), day_start(after, zone)
            yield Tile(begins, ends, partial(read, begins, ends), calls)
            first = after

    return tiles


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """All intervals before `until` have been yielded, as far as there are any."""

    until: datetime
    key: tuple[str, ...] = ()


def intervals(series: Series, window: Window, size: int, now: datetime) -> Iterator[Interval | ReadUpTo]:
    """The first `size` intervals of a window, or as many as MAX_CALLS reach; after each step how far it has come."""
    borders = list(window.borders())
    parts: list[list[Row]] = []
    told, calls = 0, 0
    for tile in series.tiles(window.start, window.end) if len(borders) > 1 else ():
        calls += tile.calls
        if size <= 0 or calls > MAX_CALLS:
            return
        _append(parts, tile.read(), now)
        covered = len(borders) if tile.end >= window.end else max(told + 1, _count(borders, tile.end))
        for found in _between(series, parts, borders[told:covered], window.zone, now):
            if size > 0:
                yield found
                size -= 1
                told = borders.index(found.end, told)
        if size > 0:
            told = covered - 1
        yield ReadUpTo(borders[told])
    yield ReadUpTo(borders[told])


def _append(parts: list[list[Row]], read: Sequence[list[Row]], now: datetime) -> None:
    """Adds a tile's rows to each device's; a row that both tiles hold at their edge counts once, one of the future not
    at all."""
    for number, rows in enumerate(read):
        if number == len(parts):
            parts.append([])
        last = parts[number][-1].end if parts[number] else None
        parts[number] += [row for row in rows if (last is None or row.start >= last) and row.start < now]


def _count(borders: Sequence[datetime], until: datetime) -> int:
    """How many borders lie at or before the instant."""
    return sum(border <= until for border in borders)


def _between(
    series: Series, parts: Sequence[list[Row]], borders: Sequence[datetime], zone: tzinfo, now: datetime
) -> list[Interval]:
    found = [list(resample(rows, borders, zone, now - series.lag, nights=series.nights)) for rows in parts]
    return found[0] if len(found) == 1 else list(together(found, parts, zone, nights=series.nights))
