"""Resamples rows to intervals: the energy within each, with its quality.

No row, no interval: a time without measurements is left out, never 0. Rows across a border are split by time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from itertools import pairwise
from math import fsum

from vendors.kit.series.rows import Quality, Reporting, Row


@dataclass(frozen=True, slots=True)
class Interval:
    """Energies in kWh from start to end (UTC): of solar (produced,), of batteries (charged, discharged)."""

    start: datetime
    end: datetime
    kwh: tuple[float, ...]
    soc_percent: float | None = None
    """Mean over the interval."""
    quality: Quality = Quality.MEASURED
    reporting: Reporting | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return (self.start.isoformat(),)


def resample(
    rows: Sequence[Row], borders: Sequence[datetime], zone: tzinfo, known_until: datetime, *, nights: bool
) -> Iterator[Interval]:
    """The intervals between the borders of which there are rows. Rows are in order and do not overlap.

    known_until: where the vendor's data end by now, its lag considered; what ends later is partial.
    nights: whether rows are absent while the device sleeps, so that a day may begin late and end early.
    """
    starts, ends = [row.start for row in rows], [row.end for row in rows]
    for start, end in pairwise(borders):
        first, last = bisect_right(ends, start), bisect_left(starts, end)
        within = rows[first:last]
        # The share of a lump across a border is unknown; what was measured before and after it counts.
        placed = [row for row in within if not row.is_lump or (row.start >= start and row.end <= end)]
        found = _sum(placed, start, end)
        if found is None:
            continue
        around = rows[max(0, first - 1) : last + 1]
        is_partial = len(placed) < len(within) or end > known_until or _has_hole(around, start, end, zone, nights)
        yield _with_quality(found, Quality.PARTIAL) if is_partial else found


def _sum(rows: Sequence[Row], start: datetime, end: datetime) -> Interval | None:
    shares = [(row, (min(row.end, end) - max(row.start, start)) / (row.end - row.start)) for row in rows]
    measured = [(row.kwh, share) for row, share in shares if row.kwh is not None]
    if not measured:
        return None
    width = len(measured[0][0])
    is_split = any(share < 1 for _, share in shares)
    reporting = least([row.reporting for row in rows])
    quality = Quality.DERIVED if is_split else Quality.MEASURED
    if reporting and reporting.n < reporting.of:
        quality = Quality.PARTIAL
    return Interval(
        start,
        end,
        tuple(fsum(kwh[which] * share for kwh, share in measured) for which in range(width)),
        _mean_soc(rows, start, end),
        max(*(row.quality for row in rows), quality),
        reporting,
    )


def _mean_soc(rows: Sequence[Row], start: datetime, end: datetime) -> float | None:
    weights = [
        (row.soc_percent, (min(row.end, end) - max(row.start, start)).total_seconds())
        for row in rows
        if row.soc_percent is not None
    ]
    return fsum(soc * weight for soc, weight in weights) / fsum(weight for _, weight in weights) if weights else None


def least(counts: Sequence[Reporting | None]) -> Reporting | None:
    """The count with the smallest share of reporting devices."""
    known = [reporting for reporting in counts if reporting]
    return min(known, key=lambda reporting: reporting.n / reporting.of if reporting.of else 1.0) if known else None


def _has_hole(rows: Sequence[Row], start: datetime, end: datetime, zone: tzinfo, nights: bool) -> bool:
    """Whether rows are missing in the interval; `rows` are those within and their neighbours.

    Where rows are absent at night, what lies before the first and after the last of a date is none.
    """
    if not nights:
        within = [row for row in rows if row.end > start and row.start < end]
        if within[0].start > start or within[-1].end < end:
            return True
    return any(
        before.end < after.start
        and before.end < end
        and after.start > start
        and not (nights and _date(before.end, zone) < _date(after.start, zone))
        for before, after in pairwise(rows)
    )


def _date(at: datetime, zone: tzinfo) -> date:
    return at.astimezone(zone).date()


def _with_quality(found: Interval, quality: Quality, reporting: Reporting | None = None) -> Interval:
    return Interval(
        found.start,
        found.end,
        found.kwh,
        found.soc_percent,
        max(found.quality, quality),
        reporting or found.reporting,
    )


def together(
    parts: Sequence[Sequence[Interval]], rows: Sequence[Sequence[Row]], zone: tzinfo, *, nights: bool
) -> Iterator[Interval]:
    """The sum of several devices' intervals, made of these rows of each. Of how many it is stands in `reporting` where
    one says nothing; where devices do not sleep (`nights`), each one without an interval is missing."""
    by_start: dict[datetime, dict[int, Interval]] = {}
    for number, part in enumerate(parts):
        for interval in part:
            by_start.setdefault(interval.start, {})[number] = interval
    for start in sorted(by_start):
        found = by_start[start]
        end = next(iter(found.values())).end
        silent = [number for number in range(len(parts)) if number not in found]
        missing = sum(not (nights and _sleeps(rows[number], start, end, zone)) for number in silent)
        yield _added(list(found.values()), Reporting(len(parts) - missing, len(parts)))


def _sleeps(rows: Sequence[Row], start: datetime, end: datetime, zone: tzinfo) -> bool:
    """Whether a device without an interval there sleeps: it has rows of that date before it or after it. With both it
    has a gap, and with none it is silent."""
    first, last = bisect_right(rows, start, key=_row_end), bisect_left(rows, end, key=_row_start)
    if first < last:
        return False  # A lump, or a row that was not to be believed.
    day = _date(start, zone)
    before, after = rows[first - 1 : first], rows[last : last + 1]
    return any(_date(row.start, zone) == day for row in before) != any(_date(row.start, zone) == day for row in after)


def _row_start(row: Row) -> datetime:
    return row.start


def _row_end(row: Row) -> datetime:
    return row.end


def _added(intervals: Sequence[Interval], of: Reporting) -> Interval:
    charges = [interval.soc_percent for interval in intervals if interval.soc_percent is not None]
    reporting = of if of.n < of.of else least([interval.reporting for interval in intervals])
    return Interval(
        intervals[0].start,
        intervals[0].end,
        tuple(map(fsum, zip(*(interval.kwh for interval in intervals), strict=True))),
        fsum(charges) / len(charges) if len(charges) == len(intervals) else None,
        max(*(interval.quality for interval in intervals), Quality.PARTIAL if of.n < of.of else Quality.MEASURED),
        reporting,
    )
