"""Tiles: the spans that a vendor's calls cover."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from vendors.kit import MAX_CALLS, Row, Series, Tile, calendar_tiles, fixed_tiles
from vendors.kit.series.read import ReadUpTo, intervals
from vendors.kit.series.windows import Level, RequestedWindow

BERLIN = ZoneInfo("Europe/Berlin")
START, END = datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC)


def nothing(*span) -> list[list[Row]]:
    return [[]]


def calls_of(tiles: list[Tile]) -> set[int]:
    return {tile.calls for tile in tiles}


@pytest.mark.parametrize("calls", [1, 2])
def test_a_tile_counts_the_calls_that_it_costs(calls):
    assert calls_of(list(fixed_tiles(2, BERLIN, nothing, calls=calls)(START, END))) == {calls}
    assert calls_of(list(calendar_tiles("day", BERLIN, nothing, calls=calls)(START, END))) == {calls}


def test_fixed_tiles_lie_edge_to_edge_wherever_the_window_begins():
    tiles = list(fixed_tiles(2, BERLIN, nothing)(START, END))
    later = list(fixed_tiles(2, BERLIN, nothing)(START + timedelta(days=1), END))
    assert tiles[0].start <= START
    assert tiles[-1].end >= END
    assert all(tile.end == following.start for tile, following in pairwise(tiles))
    assert {(tile.start, tile.end) for tile in later} <= {(tile.start, tile.end) for tile in tiles}


def test_a_page_ends_before_it_costs_more_calls_than_allowed():
    calls_made = []

    def read(begins, ends):
        calls_made.append(begins)
        return [[]]

    per_tile = 5
    series = Series(UTC, fixed_tiles(1, UTC, read, calls=per_tile), timedelta())
    start = datetime(2026, 3, 1, tzinfo=UTC)
    window = RequestedWindow(Level.HOUR, start, start + timedelta(days=10)).widened(UTC, END, None)
    progress = [item for item in intervals(series, window, 1000, END) if isinstance(item, ReadUpTo)]
    assert len(calls_made) == MAX_CALLS // per_tile
    assert progress[-1].until == start + timedelta(days=len(calls_made))
