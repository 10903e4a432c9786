"""Resamples rows to intervals: the energy within each interval, and its quality.

A time without rows has no interval, never an interval of 0. A row across a boundary is split in proportion to time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from itertools import pairwise
from math import fsum

from vendors.kit.series.rows import Quality, Reporting, Row


@dataclass(frozen=True, slots=True)
class Interval:
    """Energies in kWh from start to end (UTC): (produced,) of solar, (charged, discharged) of batteries."""

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
    rows: Sequence[Row], boundaries: Sequence[datetime], zone: tzinfo, known_until: datetime, *, nights: bool
) -> Iterator[Interval]:
    """The intervals between the boundaries for which there are rows. Rows are in order and do not overlap.

    known_until: the end of the vendor's data at present, with its lag; an interval that ends later is partial.
    nights: whether rows are absent while the device sleeps, so that a day may begin late and end early.
    """
    starts, ends = [row.start for row in rows], [row.end for row in rows]
    for start, end in pairwise(boundaries):
        first, last = bisect_right(ends, start), bisect_left(starts, end)
        within = rows[first:last]
        # The share of a lump across a boundary is unknown, so only the rows before and after it count.
        placed = [row for row in within if not row.is_lump or (row.start >= start and row.end <= end)]
        interval = _sum(placed, start, end)
        if interval is None:
            continue
        around = rows[max(0, first - 1) : last + 1]
        is_partial = len(placed) < len(within) or end > known_until or _has_hole(around, start, end, zone, nights)
        yield replace(interval, quality=Quality.PARTIAL) if is_partial else interval


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
    """Whether rows are missing in the interval; `rows` are the rows within it and their neighbours.

    Where rows are absent at night, the time before the first and after the last row of a date is no hole.
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


def together(
    parts: Sequence[Sequence[Interval]], rows: Sequence[Sequence[Row]], zone: tzinfo, *, nights: bool
) -> Iterator[Interval]:
    """The sums of several devices' intervals; `rows` are the rows from which the intervals of each device were made.

    `reporting` counts the devices that have an interval or sleep; where devices never sleep (`nights` is false), each
    device without an interval is missing.
    """
    by_start: dict[datetime, dict[int, Interval]] = {}
    for number, part in enumerate(parts):
        for interval in part:
            by_start.setdefault(interval.start, {})[number] = interval
    for start in sorted(by_start):
        reported = by_start[start]
        end = next(iter(reported.values())).end
        silent = [number for number in range(len(parts)) if number not in reported]
        missing = sum(not (nights and _sleeps(rows[number], start, end, zone)) for number in silent)
        yield _added(list(reported.values()), Reporting(len(parts) - missing, len(parts)))


def _sleeps(rows: Sequence[Row], start: datetime, end: datetime, zone: tzinfo) -> bool:
    """Whether a device without an interval from `start` to `end` sleeps: it has rows of that date either before or
    after. With rows both before and after it has a gap, with neither it is silent."""
    first, last = bisect_right(rows, start, key=_row_end), bisect_left(rows, end, key=_row_start)
    if first < last:
        return False  # There is a lump, or a row with an impossible value.
    day = _date(start, zone)
    before, after = rows[first - 1 : first], rows[last : last + 1]
    return any(_date(row.start, zone) == day for row in before) != any(_date(row.start, zone) == day for row in after)


def _row_start(row: Row) -> datetime:
    return row.start


def _row_end(row: Row) -> datetime:
    return row.end


def _added(intervals: Sequence[Interval], devices: Reporting) -> Interval:
    charges = [interval.soc_percent for interval in intervals if interval.soc_percent is not None]
    are_missing = devices.n < devices.of
    reporting = devices if are_missing else least([interval.reporting for interval in intervals])
    return Interval(
        intervals[0].start,
        intervals[0].end,
        tuple(map(fsum, zip(*(interval.kwh for interval in intervals), strict=True))),
        fsum(charges) / len(charges) if len(charges) == len(intervals) else None,
        max(*(interval.quality for interval in intervals), Quality.PARTIAL if are_missing else Quality.MEASURED),
        reporting,
    )
