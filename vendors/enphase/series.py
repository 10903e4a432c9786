"""Series of both APIs: rows of 5 or 15 minutes, stamped with their end, and energies of each day since a first one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import dropwhile
from statistics import median_low

from vendors.kit import Key, Reporting, Sample, day_start, distances, last_of_each
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
KEPT = timedelta(days=729)


@dataclass(frozen=True, slots=True)
class Feed:
    """A series of telemetry: where it is, how its rows are read, and how many days one call may cover.

    nights: whether rows are absent in the dark.
    """

    path: str
    ids: Key
    to: Callable[[Raw], list[Sample]]
    step: timedelta = METER_STEP
    days: int = 7
    nights: bool = False


def intervals(raw: Raw, *, optional: bool = False) -> list[Raw]:
    """The rows of an answer, which may lie in lists within the list; null is none.

    optional: whether they may be missing.
    """
    listed = rows(raw, "intervals", optional=optional or "intervals" in raw)
    return [row for one in listed for row in (one if isinstance(one, list) else [one])]


def step_of(samples: Iterable[Sample], usual: timedelta) -> timedelta:
    """The length of a row: the time between most of them if rows can be that long, since no member names it."""
    step = median_low(distances(samples) or [usual])
    return step if step in STEPS else usual


def production(raw: Raw) -> list[Sample]:
    """Rows of microinverters or meters. `enwh`, or `wh_del`, is Wh; `powr` beside it is W, and not read."""
    produced = (
        (end, None if wh is None else Sample(end, (wh / 1000,), reporting=reporting(raw, row)))
        for row in intervals(raw)
        if (end := epoch(row, "end_at"))
        for wh in [either(row, "enwh", "wh_del")]
    )
    return last_of_each(produced)


def flows(raw: Raw) -> list[Sample]:
    """Rows of one battery or of all: what went in and out, and the state of charge."""
    found: list[tuple[datetime, Sample | None]] = []
    for row in intervals(raw):
        charge, discharge = mapping(row, "charge"), mapping(row, "discharge")
        end, into_wh, out_wh = epoch(row, "end_at"), number(charge, "enwh"), number(discharge, "enwh")
        if end and into_wh is not None and out_wh is not None:
            percent = number(mapping(row, "soc"), "percent")
            count = reporting(raw, charge, discharge)
            found.append((end, Sample(end, (into_wh / 1000, out_wh / 1000), percent, count)))
        elif end:
            found.append((end, None))
    return last_of_each(found)


def reporting(raw: Raw, *parts: Raw) -> Reporting | None:
    """How many of the devices are in a row, where it tells that; the least of its parts counts."""
    told = [n for part in parts if (n := number(part, "devices_reporting")) is not None]
    of = number(raw, "total_devices")
    return Reporting(int(min(told)), int(of)) if told and of else None


def days(raw: Raw, members: tuple[str, ...], zone: tzinfo) -> list[Sample]:
    """Energies of each day from `start_date` on; a place in the array is a date on the system's clock.

    Zeros at the end are days of which nothing is known yet, as today often is.
    """
    first = first_date(raw)
    if first is None:
        return []
    places = list(zip(*(rows(raw, member) for member in members), strict=False))
    known = list(dropwhile(lambda place: not any(place), reversed(places)))[::-1]
    found = []
    for index, place in enumerate(known):
        wh = [number_at(place, member) for member in range(len(members))]
        kwh = tuple(value / 1000 for value in wh if value is not None)
        if len(kwh) == len(members):
            found.append(Sample(day_start(first + index * DAY, zone), kwh))
    return found


def first_date(raw: Raw) -> date | None:
    """`start_date`; None for an empty series, and for one whose days are unknown."""
    return calendar_date(raw, "start_date") if optional_text(raw, "start_date") else None


def offset(raw: Raw) -> tzinfo:
    """The offset in which an answer writes its `start_date`; UTC where it has none."""
    at = stamp(raw, "start_date", UTC) if optional_text(raw, "start_date") else None
    return (at.tzinfo if at else None) or UTC


def either(raw: Raw, *names: str) -> float | None:
    """The first number under one of these names."""
    return next((value for name in names if (value := number(raw, name)) is not None), None)
