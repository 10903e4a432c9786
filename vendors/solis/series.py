"""Solis' charts as rows: irregular readings of a day's counters, and totals on the inverters' clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone, tzinfo
from math import fsum
from statistics import median_low
from typing import Any

from vendors.kit import (
    GAP,
    NEAR,
    Battery,
    CalendarUnit,
    Level,
    Quality,
    Row,
    Sample,
    Site,
    SolarInverter,
    day_start,
    distances,
    latest,
    next_period,
    rows_from_counter,
    rows_from_totals,
)
from vendors.kit.parsing.reading import ENERGY_UNITS, Raw, calendar_date, number, optional_text, positive
from vendors.solis.records import milliseconds

# The usual time between two readings. A longer usual time is believed only where there are enough readings.
STEP = timedelta(minutes=5)
ENOUGH = 4
DAY = timedelta(days=1)
# Members of a row of a day, whose counters are in kWh with one digit, and of rows of days and months.
PRODUCED, FLOWS = ("eToday",), ("batteryTodayChargeEnergy", "batteryTodayDischargeEnergy")
TOTALS = {PRODUCED: ("energy",), FLOWS: ("batteryChargeEnergy", "batteryDischargeEnergy")}
RESOLUTION_KWH = 0.1
# Number of rows after the first reading of a day that show how fast its power rose.
WAKING = 3
CHARGE = "batteryCapacitySoc"
# Time of a row and its sample; None for a row without values.
Timed = tuple[datetime, Sample | None]


@dataclass(frozen=True, slots=True)
class Source:
    """Charts of a site's devices, or of the station where no device is named. members: those of a row of a day."""

    site: Site
    members: tuple[str, ...]
    devices: Sequence[SolarInverter | Battery]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of totals: the calendar's unit that it covers and its date format, and the step of its rows."""

    unit: CalendarUnit
    date_format: str
    step: CalendarUnit


CHARTS = {
    Level.DAY: Chart(CalendarUnit.MONTH, "%Y-%m", CalendarUnit.DAY),
    Level.MONTH: Chart(CalendarUnit.YEAR, "%Y", CalendarUnit.MONTH),
}


def offsets(day: date, clock: tzinfo) -> list[timezone]:
    """The offsets to request so that calls of 24 hours each cover the date: that at noon, and where the clock goes
    back also that with which the date begins."""
    start, end = day_start(day, clock), day_start(next_period(CalendarUnit.DAY, day), clock)
    noon = offset_at(datetime(day.year, day.month, day.day, 12, tzinfo=clock), clock)
    covered_from = datetime(day.year, day.month, day.day, tzinfo=noon)
    is_covered = covered_from <= start and covered_from + DAY >= end
    return [noon] if is_covered else [offset_at(start, clock), noon]


def offset_at(at: datetime, clock: tzinfo) -> timezone:
    offset = at.astimezone(clock).utcoffset() or timedelta()
    return timezone(timedelta(minutes=round(offset / timedelta(minutes=1))))


def to_sample(members: tuple[str, ...], raw: Raw) -> Timed | None:
    """A row of a day with its time; no sample where a counter is missing, None where the time is.

    A charge of 0 % is a fault of single rows. Hybrids have a charge in rows of solar energy too, where it is not read.
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
    counted_since: datetime | None = None,
) -> list[Row]:
    """The rows of a date, extended to its borders, since readings lie some minutes off them.

    counted_since: when the counters of solar energy began at 0 on that date.
    """
    readings = [sample for sample in latest(samples) if start <= sample.at <= end]
    step = usual_step(readings)
    rows = rows_from_counter(readings, step, RESOLUTION_KWH, most_kw)
    if not rows:
        return rows
    before = [edge(rows[:NEAR], start, rows[0].start)] if timedelta() < rows[0].start - start < 2 * step else []
    after = [edge(rows[-NEAR:], rows[-1].end, end)] if timedelta() < end - rows[-1].end < 2 * step else []
    if counted_since and not before and rows[0].start - counted_since >= 2 * step:
        before = up_to_first_reading(readings[0], rows[:WAKING], counted_since)
    return [*before, *rows, *after]


def usual_step(readings: Sequence[Sample]) -> timedelta:
    """The time between most readings; never more than the longest gap over which energy is spread."""
    between = distances(readings)
    return max(STEP, min(GAP, median_low(between))) if len(between) >= ENOUGH else STEP


def up_to_first_reading(first: Sample, following: Sequence[Row], counted_since: datetime) -> list[Row]:
    """The energy that the first reading of a day shows, as a row; none without energy or without a measured next row.

    Power rises from 0 to that of the following rows, so the energy took twice the time that it takes at their power.
    If that is long, the device was silent and the time of the energy is unknown.
    """
    (shown_kwh,) = first.kwh
    measured = [row for row in following if row.kwh and row.quality is Quality.MEASURED]
    if not measured or measured[0] is not following[0] or shown_kwh <= 0:
        return []
    kwh = fsum(row.kwh[0] for row in measured if row.kwh)
    span = sum((row.end - row.start for row in measured), timedelta())
    took = 2 * shown_kwh / kwh * span if kwh > 0 else STEP
    is_lump = took > GAP or (kwh <= 0 and shown_kwh > RESOLUTION_KWH * 1.01)
    start = counted_since if is_lump else max(counted_since, first.at - took)
    return [Row(start, first.at, (shown_kwh,), quality=Quality.DERIVED, is_lump=is_lump)]


def edge(near: Sequence[Row], start: datetime, end: datetime) -> Row:
    """The energy between a border of the date and the reading nearest to it, at the mean power of the rows near it."""
    known = [row for row in near if row.kwh is not None and not row.is_lump]
    span = sum((row.end - row.start for row in known), timedelta())
    if not known:
        return Row(start, end, None, quality=Quality.PARTIAL)
    share = (end - start) / span
    kwh = tuple(fsum(row.kwh[flow] for row in known if row.kwh) * share for flow in range(len(known[0].kwh or ())))
    return Row(start, end, kwh, near[0].soc_percent, quality=Quality.DERIVED)


def to_totals(samples: Iterable[Sample], unit: CalendarUnit, clock: tzinfo, inverters_clock: timezone) -> list[Row]:
    """Rows of days or months, derived where the inverters' clock, on which they run, is not the site's."""
    return [
        replace(row, quality=Quality.DERIVED)
        if any(offset_at(at, clock).utcoffset(None) != inverters_clock.utcoffset(None) for at in (row.start, row.end))
        else row
        for row in rows_from_totals(samples, clock, unit)
    ]


def to_total(members: tuple[str, ...], clock: tzinfo, raw: Raw) -> Timed | None:
    """The energies of a date or month, as `2026-06-01` or `2026-06`; None for an impossible date.

    No sample where a value or a known unit is missing.
    """
    first = calendar_date(raw, "dateStr")
    if first is None:
        return None
    names = TOTALS[members]
    kwh = [value for name in names if (value := amount_kwh(raw, name)) is not None]
    # At noon: some clocks skip midnight.
    at = datetime(first.year, first.month, first.day, 12, tzinfo=clock)
    return at, Sample(at, tuple(kwh)) if len(kwh) == len(names) else None


def amount_kwh(raw: Mapping[str, Any], member: str) -> float | None:
    """In charts `x` times `xPec` is the amount in the unit `xStr`; without a unit it is in kWh."""
    value, factor = number(raw, member), number(raw, f"{member}Pec")
    if f"{member}Str" not in raw:
        return value
    unit = ENERGY_UNITS.get((optional_text(raw, f"{member}Str") or "").upper())
    return None if value is None or unit is None else value * (1.0 if factor is None else factor) * unit
