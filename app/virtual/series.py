"""Series of virtual devices: rows for exactly the intervals of a level, from the site's first day on."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import fsum
from operator import add
from typing import TypeVar
from zoneinfo import ZoneInfo

from app.storage.virtual_tables import VirtualSiteRow
from simulation.virtual import SolarArray, StorageUnit
from vendors.kit import CalendarUnit, Level, Row, Series, calendar_tiles, day_start, next_period
from vendors.kit.series.windows import Window

Device = TypeVar("Device")
Borders = Sequence[datetime]
Column = list[float]
# How much is computed at once: a page of intervals takes only as many tiles as it needs.
TILES = {
    Level.QUARTER: CalendarUnit.DAY,
    Level.HOUR: CalendarUnit.DAY,
    Level.DAY: CalendarUnit.MONTH,
    Level.MONTH: CalendarUnit.YEAR,
}
# Parts of an interval, in the middle of which the state of charge is taken for its mean. Longer intervals have none, as
# with every vendor.
SOC_PARTS = {Level.QUARTER: 1, Level.HOUR: 4}


def solar_series(site: VirtualSiteRow, level: Level, arrays: Sequence[SolarArray], check: Callable[[], None]) -> Series:
    """The production of all the arrays together. `check` is called before each array; it raises to end the work."""

    def rows(borders: Borders) -> list[Row]:
        times = [border.timestamp() for border in borders]
        (kwh,) = _sums(arrays, lambda array: [array.energies_kwh(times)], check)
        return [Row(start, end, (energy,)) for (start, end), energy in zip(pairwise(borders), kwh, strict=True)]

    return _series(site, level, rows if arrays else None)


def battery_series(
    site: VirtualSiteRow, level: Level, units: Sequence[StorageUnit], check: Callable[[], None]
) -> Series:
    """The flows of all the batteries together, and their mean state of charge, weighted by their nameplates."""
    nameplate_kwh = fsum(unit.nameplate_kwh for unit in units)
    parts = SOC_PARTS.get(level)

    def columns(unit: StorageUnit, times: Sequence[float]) -> list[Column]:
        flows = [list(column) for column in zip(*unit.series_kwh(times), strict=True)]
        if parts is None:
            return flows
        weight = unit.nameplate_kwh / nameplate_kwh
        return [*flows, [weight * percent for percent in _mean_socs_percent(unit, times, parts)]]

    def rows(borders: Borders) -> list[Row]:
        times = [border.timestamp() for border in borders]
        charge_kwh, discharge_kwh, *socs = _sums(units, lambda unit: columns(unit, times), check)
        socs_percent = socs[0] if socs else [None] * len(charge_kwh)
        intervals = zip(pairwise(borders), charge_kwh, discharge_kwh, socs_percent, strict=True)
        return [Row(start, end, (charge, discharge), percent) for (start, end), charge, discharge, percent in intervals]

    return _series(site, level, rows if units else None)


def _mean_socs_percent(unit: StorageUnit, times: Sequence[float], parts: int) -> Column:
    """The mean state of charge of each interval between two times in a row."""
    middles = [(number + 0.5) / parts for number in range(parts)]
    return [
        fsum(unit.socs_percent(start + (end - start) * middle for middle in middles)) / parts
        for start, end in pairwise(times)
    ]


def _sums(
    devices: Iterable[Device], columns_of: Callable[[Device], list[Column]], check: Callable[[], None]
) -> list[Column]:
    """The sums of the devices' columns; the columns of no more than one device are in memory at a time."""
    sums: list[Column] = []
    for device in devices:
        check()
        columns = columns_of(device)
        sums = [list(map(add, *pair)) for pair in zip(sums, columns, strict=True)] if sums else columns
    return sums


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
