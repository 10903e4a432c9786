"""Rows of a vendor's series, as spans with an energy, made from stamped amounts, from totals or from counters.

A plugin reads its rows into samples and says what they are; the fidelity rules on gaps, doubles and jumps live here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum
from itertools import pairwise
from typing import TypeVar

from vendors.kit.series.windows import CalendarUnit, day_start, hours, next_period

# The energy after a gap up to this long is spread evenly over it. After a longer gap only the sum is known.
GAP = timedelta(hours=1)
# Factor on a device's rating above which a row's mean power is a fault in the vendor's data.
MOST = 1.3
# Number of neighbouring rows from which the power at a reset is estimated.
NEAR = 6

T = TypeVar("T")


class Quality(IntEnum):
    """How good an interval is; the worst of its parts counts."""

    MEASURED = 0
    DERIVED = 1
    PARTIAL = 2


@dataclass(frozen=True, slots=True)
class Reporting:
    """How many of the devices behind a value have reported."""

    n: int
    of: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a vendor: its time, and energies in kWh, (produced,) or (charged, discharged); no row without.

    For a counter the energies are its readings.
    """

    at: datetime
    kwh: tuple[float, ...]
    soc_percent: float | None = None
    reporting: Reporting | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Energies that flowed from start to end (UTC). None: the vendor's value was impossible."""

    start: datetime
    end: datetime
    kwh: tuple[float, ...] | None
    soc_percent: float | None = None
    reporting: Reporting | None = None
    quality: Quality = Quality.MEASURED
    is_lump: bool = False
    """Whether it stands for a gap, within which the time of the flow is unknown."""


def last_of_each(timed: Iterable[tuple[datetime, T | None]]) -> list[T]:
    """In the order of time, one for each instant: vendors repeat and shuffle rows; the one delivered last wins.

    None is a row without a value: where it comes last nothing is known, whatever came before.
    """
    last = dict(timed)
    return [value for at in sorted(last) if (value := last[at]) is not None]


def latest(samples: Iterable[Sample]) -> list[Sample]:
    """As `last_of_each`, of rows that all have values."""
    return last_of_each((sample.at, sample) for sample in samples)


def distances(samples: Iterable[Sample]) -> list[timedelta]:
    """The times between neighbouring stamps, the shortest first: their median is how long most rows last."""
    stamps = sorted({sample.at for sample in samples})
    return sorted(after - before for before, after in pairwise(stamps))


def within(rows: Iterable[Row], start: datetime, end: datetime) -> list[Row]:
    """The rows that begin in the span. Of today up to now: vendors' answers hold rows of other dates and of the future,
    which are neither produced today nor the newest."""
    return [row for row in rows if start <= row.start < end]


def rows_from_amounts(
    samples: Iterable[Sample], step: timedelta, *, at_end: bool, catches_up: bool = False
) -> list[Row]:
    """Rows from energies of one step each, stamped with its start or its end.

    catches_up: whether a row after missing ones holds their energy as well, so that its span begins with the row
    before it.
    """
    rows: list[Row] = []
    for sample in latest(samples):
        start = sample.at - step if at_end else sample.at
        row = Row(start, start + step, sample.kwh, sample.soc_percent, sample.reporting)
        before = rows[-1].end if rows else start
        if before > row.start:
            row = replace(row, start=before)
        elif catches_up and before < row.start:
            row = replace(row, start=before, quality=Quality.DERIVED, is_lump=row.start - before > GAP)
        if row.start < row.end:
            rows.append(row)
    return rows


def rows_from_totals(samples: Iterable[Sample], zone: tzinfo, unit: CalendarUnit) -> list[Row]:
    """Rows from a vendor's totals of days or months, each labelled with any instant of its first date."""
    rows = []
    for sample in latest(samples):
        first = sample.at.astimezone(zone).date()
        span = day_start(first, zone), day_start(next_period(unit, first), zone)
        rows.append(Row(*span, sample.kwh, sample.soc_percent, sample.reporting))
    return rows


def rows_from_counter(
    samples: Iterable[Sample], step: timedelta, resolution_kwh: float, most_kw: float | None = None
) -> list[Row]:
    """Rows from readings of counters that rise, and fall to 0 at the start of their day.

    step: the usual time between two readings. A reading that falls and comes back was a fault and does not count. A
    counter that falls and goes on has been reset: what it shows has come since, and what came before that is taken to
    have flowed as in the rows before. One that falls to more than can have come since then (at `most_kw`) is another
    device's: that step is lost.
    """
    rows: list[Row] = []
    for before, after in pairwise(_without_dips(latest(samples))):
        pairs = list(zip(before.kwh, after.kwh, strict=True))
        kwh = tuple(now if now < then else now - then for then, now in pairs)
        row = Row(before.at, after.at, kwh, after.soc_percent, after.reporting)
        if any(now < then for then, now in pairs):
            row = _reset(row, rows[-NEAR:], resolution_kwh, most_kw)
        rows.append(_over_gap(row, step, resolution_kwh))
    return rows


def _reset(row: Row, before: list[Row], resolution_kwh: float, most_kw: float | None) -> Row:
    """The step in which a counter was reset; its energy is the reading since then, if that is possible."""
    shown = row.kwh or ()
    if max(shown) > (most_kw or 0.0) * MOST * hours(row.end - row.start) + resolution_kwh:
        return replace(row, kwh=None, quality=Quality.PARTIAL)
    near = [other for other in before if other.kwh is not None and not other.is_lump]
    share = (row.end - row.start) / sum((other.end - other.start for other in near), timedelta()) if near else 0.0
    usual = [sum(other.kwh[which] for other in near if other.kwh) * share for which in range(len(shown))]
    return replace(row, kwh=tuple(map(max, shown, usual)), quality=Quality.DERIVED)


def _over_gap(row: Row, step: timedelta, resolution_kwh: float) -> Row:
    """What came over a long gap is a lump, unless it is nothing, or less than the counter can tell."""
    if row.end - row.start <= max(GAP, 2 * step) or row.kwh is None:
        return row
    if max(row.kwh) <= resolution_kwh * 1.01:
        return replace(row, start=row.end - step)
    return replace(row, is_lump=True, quality=Quality.DERIVED)


def _without_dips(samples: list[Sample]) -> Iterator[Sample]:
    """Without readings below the one before that are followed by one as high again: a row of zeros, mostly."""
    height: tuple[float, ...] | None = None
    for number, sample in enumerate(samples):
        after = samples[number + 1].kwh if number + 1 < len(samples) else None
        if height is not None and after is not None and _below(sample.kwh, height) and not _below(after, height):
            continue
        height = sample.kwh
        yield sample


def _below(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return any(a < b for a, b in zip(one, other, strict=True))


def without_impossible(rows: Iterable[Row], most_kw: float | None) -> list[Row]:
    """The rows, without the energy of those that no device of this rating can have given: they become suspect."""
    if not most_kw:
        return list(rows)
    return [
        replace(row, kwh=None, quality=Quality.PARTIAL)
        if row.kwh is not None and max(row.kwh) > MOST * most_kw * hours(row.end - row.start)
        else row
        for row in rows
    ]
