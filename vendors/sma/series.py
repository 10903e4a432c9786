"""SMA's measurements as rows: on the plant's clock, of the step that the answer names, and of the period asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median_low

from vendors.kit import (
    GAP,
    CalendarUnit,
    Level,
    Row,
    Sample,
    distances,
    last_of_each,
    rows_from_amounts,
    rows_from_totals,
)
from vendors.kit.parsing.reading import Raw, number, optional_text, rows, stamp

# Members of a row in Wh or W.
PRODUCED = ("pvGeneration",)
FLOWS = ("batteryCharging", "batteryDischarging")
CHARGE = "batteryStateOfCharge"
# By `resolution`: the duration of a row stamped with its end, or the calendar's unit of a row stamped with its date.
STEPS = {
    "OneMinute": timedelta(minutes=1),
    "FiveMinutes": timedelta(minutes=5),
    "FifteenMinutes": timedelta(minutes=15),
    "OneHour": timedelta(hours=1),
}
UNITS = {"OneDay": CalendarUnit.DAY, "OneMonth": CalendarUnit.MONTH, "OneYear": CalendarUnit.YEAR}


@dataclass(frozen=True, slots=True)
class Period:
    """Period of measurements: its name in the URL, the format of its date, and the calendar's unit that it covers.

    usual_resolution: that of its rows where the answer names none.
    """

    name: str
    date_format: str
    unit: CalendarUnit
    usual_resolution: str


DAY = Period("Day", "%Y-%m-%d", CalendarUnit.DAY, "FiveMinutes")
MONTH = Period("Month", "%Y-%m", CalendarUnit.MONTH, "OneDay")
YEAR = Period("Year", "%Y", CalendarUnit.YEAR, "OneMonth")
PERIODS = {Level.QUARTER: DAY, Level.HOUR: DAY, Level.DAY: MONTH, Level.MONTH: YEAR}


@dataclass(frozen=True, slots=True)
class Source:
    """One set of measurements of a plant or device: its path and id, the members that are read, and its clock.

    max_kw: the rated power, for the check of its rows; None where it is unknown.
    """

    path: str
    id: str
    set: str
    members: tuple[str, ...]
    clock: tzinfo
    since: datetime | None = None
    max_kw: float | None = None


def to_rows(raw: Raw, source: Source, usual_resolution: str, start: datetime, end: datetime) -> list[Row]:
    """The rows between start and end. Where they are coarser than usual, how their energy is distributed is unknown.

    Rows of a day without a known resolution are as long as most stamps are apart; the length of a single such row is
    unknown.
    """
    resolution = optional_text(raw, "resolution") or (usual_resolution if usual_resolution in UNITS else None)
    samples = to_samples(rows(raw, "set", optional=True), source.members, source.clock)
    if resolution in UNITS:
        of_period = [sample for sample in samples if start <= sample.at < end]
        calendar_rows = rows_from_totals(of_period, source.clock, UNITS[resolution])
        return calendar_rows if resolution == usual_resolution else as_lumps(calendar_rows)
    of_period = [sample for sample in samples if start < sample.at <= end]
    step = STEPS.get(resolution or "") or usual_step(of_period)
    fine_rows = rows_from_amounts(of_period, step or GAP, at_end=True, catches_up=True)
    return as_lumps(fine_rows) if step is None or step > GAP else fine_rows


def as_lumps(rows: Iterable[Row]) -> list[Row]:
    return [replace(row, is_lump=True) for row in rows]


def usual_step(samples: Iterable[Sample]) -> timedelta | None:
    """The time between most rows; None for a single row."""
    between = distances(samples)
    return median_low(between) if between else None


def to_samples(raws: Iterable[Raw], members: tuple[str, ...], clock: tzinfo) -> list[Sample]:
    """Rows of a set, in kWh; rows without a value are left out. Times are on the plant's clock, without an offset.

    Only the order tells the two passes of a doubled hour apart: a row whose time is before that of the preceding row
    belongs to the second pass.
    """
    timed: list[tuple[datetime, Sample | None]] = []
    last: datetime | None = None
    for raw in raws:
        at = stamp(raw, "time", clock)
        if at is None:
            continue
        if last and at.replace(fold=1).utcoffset() != at.utcoffset() and at.timestamp() <= last.timestamp():
            at = at.replace(fold=1)
        last = at
        wh = [value for member in members if (value := number(raw, member)) is not None]
        # A plant's rows of solar energy have the state of charge too.
        charge = number(raw, CHARGE) if members == FLOWS else None
        sample = Sample(at.astimezone(UTC), tuple(value / 1000 for value in wh), charge)
        timed.append((sample.at, sample if len(wh) == len(members) else None))
    return last_of_each(timed)
