"""Series of both APIs: rows of 5 or 15 minutes, stamped with their end, and energies of each day since a first one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import dropwhile
from statistics import median_low

from vendors.kit import Key, Level, Quality, Reporting, Row, Sample, day_start, distances, last_of_each
from vendors.kit.parsing.reading import (
    Raw,
    calendar_date,
    epoch,
    mapping,
    number,
    number_at,
    optional_text,
    rows,
    stamp,
)

DAY = timedelta(days=1)
MICRO_STEP, METER_STEP = timedelta(minutes=5), timedelta(minutes=15)
STEPS = (MICRO_STEP, METER_STEP)
# Enphase refuses what began more than two years ago; a day less, for the sake of clocks and time zones.
RETENTION = timedelta(days=729)


@dataclass(frozen=True, slots=True)
class Feed:
    """A series of telemetry: its path, the converter of its rows, and how many days one call may cover.

    nights: whether rows are absent in the dark.
    """

    path: str
    ids: Key
    to: Callable[[Raw], list[Sample]]
    step: timedelta = METER_STEP
    days: int = 7
    nights: bool = False


def calls_for(feed: Feed, start: datetime, end: datetime, now: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    """Start, end and granularity of each call for a span, up to now.

    To Enphase a day is 24 hours and a week 7 times as long, also when the clock changes.
    """
    while start < min(end, now):
        is_week = feed.days > 1 and end - start > DAY
        after = start + (feed.days * DAY if is_week else DAY)
        yield start, after, "week" if is_week else "day"
        start = after


def intervals(raw: Raw, *, optional: bool = False) -> list[Raw]:
    """The rows of a reply, which may be in lists within the list; null is an empty list.

    optional: whether the list may be missing.
    """
    listed = rows(raw, "intervals", optional=optional or "intervals" in raw)
    return [row for entry in listed for row in (entry if isinstance(entry, list) else [entry])]


def step_of(samples: Iterable[Sample], usual: timedelta) -> timedelta:
    """The length of rows, which no member names: the median time between them if rows can be that long."""
    step = median_low(distances(samples) or [usual])
    return step if step in STEPS else usual


def production(raw: Raw) -> list[Sample]:
    """Rows of microinverters or meters. `enwh`, or `wh_del`, is Wh; `powr` in the same row is W, and not read."""
    produced = (
        (end, None if wh is None else Sample(end, (wh / 1000,), reporting=reporting(raw, row)))
        for row in intervals(raw)
        if (end := epoch(row, "end_at"))
        for wh in [either(row, "enwh", "wh_del")]
    )
    return last_of_each(produced)


def flows(raw: Raw) -> list[Sample]:
    """Rows of one battery or of all: energy into and out of it, and the state of charge."""
    timed: list[tuple[datetime, Sample | None]] = []
    for row in intervals(raw):
        charge, discharge = mapping(row, "charge"), mapping(row, "discharge")
        end, into_wh, out_wh = epoch(row, "end_at"), number(charge, "enwh"), number(discharge, "enwh")
        if end and into_wh is not None and out_wh is not None:
            percent = number(mapping(row, "soc"), "percent")
            count = reporting(raw, charge, discharge)
            timed.append((end, Sample(end, (into_wh / 1000, out_wh / 1000), percent, count)))
        elif end:
            timed.append((end, None))
    return last_of_each(timed)


def reporting(raw: Raw, *parts: Raw) -> Reporting | None:
    """How many of the devices have reported in a row, where it says so; the smallest number of its parts counts."""
    counts = [count for part in parts if (count := number(part, "devices_reporting")) is not None]
    total = number(raw, "total_devices")
    return Reporting(int(min(counts)), int(total)) if counts and total else None


def days(raw: Raw, members: tuple[str, ...], zone: tzinfo) -> list[Sample]:
    """Energies of each day from `start_date` on; each index of the array is a date on the system's clock.

    Zeros at the end are days of which nothing is known yet, as is often the case of today.
    """
    first = first_date(raw)
    if first is None:
        return []
    all_days = list(zip(*(rows(raw, member) for member in members), strict=False))
    known = list(dropwhile(lambda day: not any(day), reversed(all_days)))[::-1]
    samples = []
    for index, day in enumerate(known):
        wh = [number_at(day, member) for member in range(len(members))]
        kwh = tuple(value / 1000 for value in wh if value is not None)
        if len(kwh) == len(members):
            samples.append(Sample(day_start(first + index * DAY, zone), kwh))
    return samples


def first_date(raw: Raw) -> date | None:
    """`start_date`; None for an empty series, and for one whose days are unknown."""
    return calendar_date(raw, "start_date") if optional_text(raw, "start_date") else None


def offset(raw: Raw) -> tzinfo:
    """The offset of the `start_date` of a reply; UTC where it has none."""
    at = stamp(raw, "start_date", UTC) if optional_text(raw, "start_date") else None
    return (at.tzinfo if at else None) or UTC


def either(raw: Raw, *names: str) -> float | None:
    """The first number under one of these names."""
    return next((value for name in names if (value := number(raw, name)) is not None), None)


def graded(row: Row, level: Level) -> Row:
    """Partial while devices are missing, and without the state of charge where an interval is too long for it."""
    is_missing = row.reporting is not None and row.reporting.n < row.reporting.of
    return replace(
        row,
        quality=Quality.PARTIAL if is_missing else row.quality,
        soc_percent=row.soc_percent if level.is_fine else None,
    )
