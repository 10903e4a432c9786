"""Rows of a vendor's series: spans of time with an energy, made from stamped amounts, totals or counter readings.

A plugin reads the vendor's rows into samples and names their kind; the rules for gaps, duplicates and counter resets
are here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum
from itertools import pairwise
from typing import TypeVar

from vendors.kit.series.windows import CalendarUnit, day_start, hours, next_period

# The energy after a gap of at most this length is spread evenly over the gap. After a longer gap only the sum is known.
GAP = timedelta(hours=1)
# A row whose mean power is more than this many times the device's rating is a fault in the vendor's data.
MOST = 1.3
# Number of neighbouring rows from which the power at a reset is estimated.
NEAR = 6

T = TypeVar("T")


class Quality(IntEnum):
    """Quality of an interval: the worst quality of its parts."""

    MEASURED = 0
    DERIVED = 1
    PARTIAL = 2


@dataclass(frozen=True, slots=True)
class Reporting:
    """Number of devices that have reported, out of all devices behind a value."""

    n: int
    of: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A vendor's row: its time, and its energies in kWh, (produced,) or (charged, discharged).

    For a counter the energies are its readings. A row without energies has no sample.
    """

    at: datetime
    kwh: tuple[float, ...]
    soc_percent: float | None = None
    reporting: Reporting | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Energies that flowed from start to end (UTC); `kwh` is None where the vendor's value was impossible."""

    start: datetime
    end: datetime
    kwh: tuple[float, ...] | None
    soc_percent: float | None = None
    reporting: Reporting | None = None
    quality: Quality = Quality.MEASURED
    is_lump: bool = False
    """Whether the row covers a gap, within which the time of the flow is unknown."""


def last_of_each(timed: Iterable[tuple[datetime, T | None]]) -> list[T]:
    """The values in order of time, one for each instant: vendors repeat and shuffle rows, and the last delivery counts.

    None is a row without a value; where it is the last delivery, the instant has no value.
    """
    last = dict(timed)
    return [value for at in sorted(last) if (value := last[at]) is not None]


def latest(samples: Iterable[Sample]) -> list[Sample]:
    """The samples in order of time, one for each instant, as `last_of_each` chooses."""
    return last_of_each((sample.at, sample) for sample in samples)


def distances(samples: Iterable[Sample]) -> list[timedelta]:
    """The times between neighbouring stamps, shortest first. Their median is the length of most rows."""
    stamps = sorted({sample.at for sample in samples})
    return sorted(after - before for before, after in pairwise(stamps))


def within(rows: Iterable[Row], start: datetime, end: datetime) -> list[Row]:
    """The rows that begin in the span. With the span from midnight to now, it excludes rows of other dates and of the
    future, which vendors' replies also hold."""
    return [row for row in rows if start <= row.start < end]


def rows_from_amounts(
    samples: Iterable[Sample], step: timedelta, *, at_end: bool, catches_up: bool = False
) -> list[Row]:
    """Rows from energies of one step each, stamped with its start or (`at_end`) its end.

    catches_up: whether a row after missing rows includes their energy, so that its span begins at the last row's end.
    """
    rows: list[Row] = []
    for sample in latest(samples):
        start = sample.at - step if at_end else sample.at
        row = Row(start, start + step, sample.kwh, sample.soc_percent, sample.reporting)
        last_end = rows[-1].end if rows else start
        if last_end > row.start:
            row = replace(row, start=last_end)
        elif catches_up and last_end < row.start:
            row = replace(row, start=last_end, quality=Quality.DERIVED, is_lump=row.start - last_end > GAP)
        if row.start < row.end:
            rows.append(row)
    return rows


def rows_from_totals(samples: Iterable[Sample], zone: tzinfo, unit: CalendarUnit) -> list[Row]:
    """Rows from a vendor's totals of days, months or years, each labelled with any instant of its first date."""
    rows = []
    for sample in latest(samples):
        first = sample.at.astimezone(zone).date()
        span = day_start(first, zone), day_start(next_period(unit, first), zone)
        rows.append(Row(*span, sample.kwh, sample.soc_percent, sample.reporting))
    return rows


def rows_from_counter(
    samples: Iterable[Sample], step: timedelta, resolution_kwh: float, most_kw: float | None = None
) -> list[Row]:
    """Rows from readings of counters that rise, and that may be reset to 0, e.g. at the start of each day.

    A reading that drops and recovers is a fault and is ignored. A counter that drops and goes on from there was reset:
    its new reading is the energy since the reset, and the energy before the reset is estimated from the rows before. A
    new reading that the device cannot have reached within the step is another device's: that step is lost.

    step: the usual time between two readings.
    resolution_kwh: the smallest rise that the counter can show.
    most_kw: the power that the device can reach, if known.
    """
    rows: list[Row] = []
    for before, after in pairwise(_without_dips(latest(samples))):
        pairs = list(zip(before.kwh, after.kwh, strict=True))
        kwh = tuple(new if new < old else new - old for old, new in pairs)
        row = Row(before.at, after.at, kwh, after.soc_percent, after.reporting)
        if any(new < old for old, new in pairs):
            row = _reset(row, rows[-NEAR:], resolution_kwh, most_kw)
        rows.append(_over_gap(row, step, resolution_kwh))
    return rows


def _reset(row: Row, earlier: list[Row], resolution_kwh: float, most_kw: float | None) -> Row:
    """The step in which a counter was reset. Its energy is the new reading, or the estimate from the rows before if
    that is greater; None if the device cannot have reached the new reading."""
    reading = row.kwh or ()
    if max(reading) > (most_kw or 0.0) * MOST * hours(row.end - row.start) + resolution_kwh:
        return replace(row, kwh=None, quality=Quality.PARTIAL)
    near = [other for other in earlier if other.kwh is not None and not other.is_lump]
    share = (row.end - row.start) / sum((other.end - other.start for other in near), timedelta()) if near else 0.0
    estimate = [sum(other.kwh[flow] for other in near if other.kwh) * share for flow in range(len(reading))]
    return replace(row, kwh=tuple(map(max, reading, estimate)), quality=Quality.DERIVED)


def _over_gap(row: Row, step: timedelta, resolution_kwh: float) -> Row:
    """The row as a lump if it covers a long gap; without the gap if the counter rose by no more than its resolution."""
    if row.end - row.start <= max(GAP, 2 * step) or row.kwh is None:
        return row
    if max(row.kwh) <= resolution_kwh * 1.01:
        return replace(row, start=row.end - step)
    return replace(row, is_lump=True, quality=Quality.DERIVED)


def _without_dips(samples: list[Sample]) -> Iterator[Sample]:
    """The samples without dips: readings below the previous, not confirmed by the next reading, often zeros."""
    last: tuple[float, ...] | None = None
    for number, sample in enumerate(samples):
        after = samples[number + 1].kwh if number + 1 < len(samples) else None
        if last is not None and after is not None and _has_fallen(sample.kwh, last) and not _has_fallen(after, last):
            continue
        last = sample.kwh
        yield sample


def _has_fallen(reading: tuple[float, ...], earlier: tuple[float, ...]) -> bool:
    return any(new < old for old, new in zip(earlier, reading, strict=True))


def without_impossible(rows: Iterable[Row], most_kw: float | None) -> list[Row]:
    """The rows; where no device of this rating can have produced the energy, `kwh` is None and the quality partial."""
    if not most_kw:
        return list(rows)
    return [
        replace(row, kwh=None, quality=Quality.PARTIAL)
        if row.kwh is not None and max(row.kwh) > MOST * most_kw * hours(row.end - row.start)
        else row
        for row in rows
    ]
