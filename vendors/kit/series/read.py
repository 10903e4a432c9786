"""Reads a vendor's series tile by tile, only as far as a page of intervals needs it."""

from bisect import bisect_right
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
    """A span of time whose rows, one list for each device, are read with `calls` calls. Tiles lie edge to edge."""

    start: datetime
    end: datetime
    read: Callable[[], Sequence[list[Row]]]
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Series:
    """Description of a series, known before any of its rows is read.

    tiles: the tiles between two boundaries of intervals. They do not depend on the requested window, so that
    neighbouring pages share replies. They may hold the plugin or its client alone: either keeps the other alive.
    lag: the usual time until the vendor reports a row.
    nights: whether rows are absent while a device sleeps.
    since: when the site or device went into service.
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
    """Tiles of `days` dates of the zone's calendar, for vendors whose calls name two instants.

    Wherever the window begins, a tile begins at a date whose ordinal (days since year 1) is a multiple of `days`.
    """

    def tiles(start: datetime, end: datetime) -> Iterator[Tile]:
        first = start.astimezone(zone).date()
        first -= timedelta(days=first.toordinal() % days)
        while day_start(first, zone) < end:
            after = first + timedelta(days=days)
            span = day_start(first, zone), day_start(after, zone)
            yield Tile(*span, partial(read, *span), calls)
            first = after

    return tiles


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """Marks that all existing intervals before `until` have been yielded."""

    until: datetime
    key: tuple[str, ...] = ()


def intervals(series: Series, window: Window, size: int, now: datetime) -> Iterator[Interval | ReadUpTo]:
    """The first `size` intervals of a window, or as many as MAX_CALLS reach; after each tile a ReadUpTo."""
    boundaries = list(window.boundaries())
    rows_by_device: list[list[Row]] = []
    done = calls = 0  # `done`: index of the boundary up to which intervals were yielded.
    for tile in series.tiles(window.start, window.end) if len(boundaries) > 1 else ():
        calls += tile.calls
        if size <= 0 or calls > MAX_CALLS:
            return
        _append(rows_by_device, tile.read(), now)
        covered = len(boundaries) if tile.end >= window.end else max(done + 1, bisect_right(boundaries, tile.end))
        for interval in _between(series, rows_by_device, boundaries[done:covered], window.zone, now):
            if size > 0:
                yield interval
                size -= 1
                done = boundaries.index(interval.end, done)
        if size > 0:
            done = covered - 1
        yield ReadUpTo(boundaries[done])
    yield ReadUpTo(boundaries[done])


def _append(rows_by_device: list[list[Row]], tile_rows: Sequence[list[Row]], now: datetime) -> None:
    """Adds a tile's rows to those of each device, without rows of the future. A row that both tiles hold at their edge
    counts once."""
    for number, rows in enumerate(tile_rows):
        if number == len(rows_by_device):
            rows_by_device.append([])
        earlier = rows_by_device[number]
        end = earlier[-1].end if earlier else None
        earlier += [row for row in rows if (end is None or row.start >= end) and row.start < now]


def _between(
    series: Series, rows_by_device: Sequence[list[Row]], boundaries: Sequence[datetime], zone: tzinfo, now: datetime
) -> list[Interval]:
    """The intervals between the boundaries, summed over all devices."""
    known_until = now - series.lag
    parts = [list(resample(rows, boundaries, zone, known_until, nights=series.nights)) for rows in rows_by_device]
    return parts[0] if len(parts) == 1 else list(together(parts, rows_by_device, zone, nights=series.nights))
