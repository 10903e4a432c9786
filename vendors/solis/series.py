"""Solis' charts as rows: counters of a day at odd times, and totals of days and months on the inverters' clock."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone, tzinfo
from math import fsum
from statistics import median_low
from typing import Any

from vendors.kit import (
    GAP,
    NEAR,
    CalendarUnit,
    Quality,
    Row,
    Sample,
    day_start,
    distances,
    latest,
    next_period,
    rows_from_counter,
    rows_from_totals,
)
from vendors.kit.parsing.reading import ENERGY_UNITS, Raw, calendar_date, number, optional_text, positive
from vendors.solis.records import milliseconds

# The usual time between two readings. A device that is read more rarely shows it by as many distances as these.
STEP = timedelta(minutes=5)
ENOUGH = 4
DAY = timedelta(days=1)
# Members of a row of a day, whose counters are in kWh with one digit, and of rows of days and months.
PRODUCED, FLOWS = ("eToday",), ("batteryTodayChargeEnergy", "batteryTodayDischargeEnergy")
TOTALS = {PRODUCED: ("energy",), FLOWS: ("batteryChargeEnergy", "batteryDischargeEnergy")}
RESOLUTION_KWH = 0.1
# Rows by which the power is told that an inverter wakes up to.
WAKING = 3
CHARGE = "batteryCapacitySoc"
# The time of a row, and what it says.
Timed = tuple[datetime, Sample | None]


def offsets(day: date, clock: tzinfo) -> list[timezone]:
    """The offsets to ask for, so that calls of 24 hours each cover the date: the one at noon, and where the clock
    goes back the one with which the date begins."""
    start, end = day_start(day, clock), day_start(next_period(CalendarUnit.DAY, day), clock)
    noon = offset_at(datetime(day.year, day.month, day.day, 12, tzinfo=clock), clock)
    first = offset_at(start, clock)
    begins = datetime(day.year, day.month, day.day, tzinfo=noon)
    return [noon] if begins <= start and begins + DAY >= end else [first, noon]


def offset_at(at: datetime, clock: tzinfo) -> timezone:
    offset = at.astimezone(clock).utcoffset() or timedelta()
    return timezone(timedelta(minutes=round(offset / timedelta(minutes=1))))


def to_sample(members: tuple[str, ...], raw: Raw) -> Timed | None:
    """A row of a day with its time; no sample without a counter, and nothing without a time. A charge of 0 % is a fault
    of single rows.

    Hybrids have a charge beside what the sun gave, where it does not belong.
    """
    at = milliseconds(raw, "dataTimestamp")
    kwh = [value for member in members if (value := number(raw, member)) is not None]
    if at is None:
        return None
    is_whole = len(kwh) == len(members)
    return at, Sample(at, tuple(kwh), positive(raw, CHARGE) if members == FLOWS else None) if is_whole else None


def fine_rows(
    samples: Iterable[Sample],
    start: datetime,
    end: datetime,
    most_kw: float | None,
    began: datetime | None = None,
) -> list[Row]:
    """The rows of a date, up to its borders: readings lie beside them.

    began: when counters of what the sun gives began anew on that date.
    """
    found = [sample for sample in latest(samples) if start <= sample.at <= end]
    step = step_of(found)
    rows = rows_from_counter(found, step, RESOLUTION_KWH, most_kw)
    if not rows:
        return rows
    before = [edge(rows[:NEAR], start, rows[0].start)] if timedelta() < rows[0].start - start < 2 * step else []
    after = [edge(rows[-NEAR:], rows[-1].end, end)] if timedelta() < end - rows[-1].end < 2 * step else []
    if began and not before and rows[0].start - began >= 2 * step:
        before = woken(found[0], rows[:WAKING], began)
    return [*before, *rows, *after]


def step_of(found: list[Sample]) -> timedelta:
    """The time between two readings, as most of them show it; never more than the longest gap that is spread."""
    between = distances(found)
    return max(STEP, min(GAP, median_low(between))) if len(between) >= ENOUGH else STEP


def woken(first: Sample, after: list[Row], began: datetime) -> list[Row]:
    """What the first reading of a day shows: it came while power rose from nothing to what it was afterwards, so in
    twice the time that it takes at that power. If that is long, the device was silent, and nobody knows when."""
    (shown,) = first.kwh
    told = [row for row in after if row.kwh and row.quality is Quality.MEASURED]
    if not told or told[0] is not after[0] or shown <= 0:
        return []
    kwh, span = fsum(row.kwh[0] for row in told if row.kwh), sum((row.end - row.start for row in told), timedelta())
    took = 2 * shown / kwh * span if kwh > 0 else STEP
    is_lump = took > GAP or (kwh <= 0 and shown > RESOLUTION_KWH * 1.01)
    start = began if is_lump else max(began, first.at - took)
    return [Row(start, first.at, (shown,), quality=Quality.DERIVED, is_lump=is_lump)]


def edge(near: list[Row], start: datetime, end: datetime) -> Row:
    """What flowed between a border and the reading beside it, at the mean power of the rows near it."""
    told = [row for row in near if row.kwh is not None and not row.is_lump]
    span = sum((row.end - row.start for row in told), timedelta())
    if not told:
        return Row(start, end, None, quality=Quality.PARTIAL)
    share = (end - start) / span
    kwh = tuple(fsum(row.kwh[which] for row in told if row.kwh) * share for which in range(len(told[0].kwh or ())))
    return Row(start, end, kwh, near[0].soc_percent, quality=Quality.DERIVED)


def totals(samples: Iterable[Sample], unit: CalendarUnit, clock: tzinfo, inverters: timezone) -> list[Row]:
    """Rows of days or months. They run on the inverters' clock: derived, where that is not the site's."""
    rows = rows_from_totals(samples, clock, unit)
    return [
        replace(row, quality=Quality.DERIVED)
        if any(offset_at(at, clock).utcoffset(None) != inverters.utcoffset(None) for at in (row.start, row.end))
        else row
        for row in rows
    ]


def to_total(members: tuple[str, ...], clock: tzinfo, raw: Raw) -> Timed | None:
    """The energies of a date or month, as `2026-06-01` or `2026-06`; no sample without a value or a known unit, and
    nothing without a date that can be."""
    first = calendar_date(raw, "dateStr")
    if first is None:
        return None
    names = TOTALS[members]
    kwh = [value for name in names if (value := amount_kwh(raw, name)) is not None]
    # At noon: some clocks skip midnight.
    at = datetime(first.year, first.month, first.day, 12, tzinfo=clock)
    return at, Sample(at, tuple(kwh)) if len(kwh) == len(names) else None


def amount_kwh(raw: Mapping[str, Any], member: str) -> float | None:
    """In charts `x` times `xPec` is the amount in the unit `xStr`; what has no unit is in kWh."""
    value, factor = number(raw, member), number(raw, f"{member}Pec")
    if f"{member}Str" not in raw:
        return value
    unit = ENERGY_UNITS.get((optional_text(raw, f"{member}Str") or "").upper())
    return None if value is None or unit is None else value * (1.0 if factor is None else factor) * unit


def whole_dates(start: datetime, end: datetime, clock: tzinfo) -> Iterator[date]:
    """The dates of the clock that the span touches."""
    day = start.astimezone(clock).date()
    while day_start(day, clock) < end:
        yield day
        day += DAY
