"""Series of virtual devices: rows for exactly the intervals of a level, from the site's first day on."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import fsum
from zoneinfo import ZoneInfo

from app.storage.virtual_tables import VirtualSiteRow
from app.virtual.physics import mean_soc_percent
from simulation.virtual import SolarArray, StorageUnit
from vendors.kit import CalendarUnit, Level, Row, Series, calendar_tiles, day_start, next_period
from vendors.kit.series.windows import Window

Borders = Sequence[datetime]
# How much is computed at once: a page of intervals takes only as many tiles as it needs.
TILES = {
    Level.QUARTER: CalendarUnit.DAY,
    Level.HOUR: CalendarUnit.DAY,
    Level.DAY: CalendarUnit.MONTH,
    Level.MONTH: CalendarUnit.YEAR,
}
# Instants at which the state of charge is taken for the mean of one interval: every 15 minutes, every hour, and every
# four hours of a month.
SOC_SAMPLES = {Level.QUARTER: 1, Level.HOUR: 4, Level.DAY: 24, Level.MONTH: 180}


def solar_series(site: VirtualSiteRow, level: Level, arrays: Sequence[SolarArray], check: Callable[[], None]) -> Series:
    """The production of all the arrays together. `check` is called before each array; it raises to end the work."""

    def rows(borders: Borders) -> list[Row]:
        by_array = []
        for array in arrays:
            check()
            by_array.append(array.energies_kwh([border.timestamp() for border in borders]))
        return [
            Row(start, end, (fsum(energies_kwh),))
            for (start, end), energies_kwh in zip(pairwise(borders), zip(*by_array, strict=True), strict=True)
        ]

    return _series(site, level, rows if arrays else None)


def battery_series(
    site: VirtualSiteRow, level: Level, units: Sequence[StorageUnit], check: Callable[[], None]
) -> Series:
    """The flows of all the batteries together, and their mean state of charge, weighted by their nameplates."""

    def rows(borders: Borders) -> list[Row]:
        by_unit = []
        for unit in units:
            check()
            by_unit.append(unit.series_kwh([border.timestamp() for border in borders]))
        return [
            Row(start, end, tuple(map(fsum, zip(*flows, strict=True))), _mean_soc(units, start, end, level))
            for (start, end), flows in zip(pairwise(borders), zip(*by_unit, strict=True), strict=True)
        ]

    return _series(site, level, rows if units else None)


def _mean_soc(units: Iterable[StorageUnit], start: datetime, end: datetime, level: Level) -> float:
    count, seconds = SOC_SAMPLES[level], (end - start).total_seconds()
    first = start.timestamp() + seconds / count / 2
    return fsum(mean_soc_percent(units, first + number * seconds / count) for number in range(count)) / count


def _series(site: VirtualSiteRow, level: Level, rows: Callable[[Borders], list[Row]] | None) -> Series:
    """The series whose rows are made from borders; without rows for a site that has no device of the kind."""
    zone, now = ZoneInfo(site.timezone), datetime.now(UTC)

    def read(first: date) -> Sequence[list[Row]]:
        end = day_start(next_period(TILES[level], first), zone)
        borders = _borders(Window(level, day_start(first, zone), end, zone), site.operational_since, now)
        return [rows(borders) if rows and len(borders) > 1 else []]

    # Computing costs no calls.
    tiles = calendar_tiles(TILES[level], zone, read, calls=0)
    return Series(zone, tiles, lag=timedelta(0), since=site.operational_since)


def _borders(window: Window, since: datetime, now: datetime) -> list[datetime]:
    """The boundaries of the window's intervals, of which the first begins with the site and the last ends now."""
    return sorted({min(max(border, since), now) for border in window.boundaries()})
