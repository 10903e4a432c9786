"""SolarEdge's buckets of energy as rows: in the unit that the reply names, and as long as it says."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from math import fsum

from vendors.kit import QUARTER, CalendarUnit, Row, Sample, rows_from_totals
from vendors.kit.parsing.reading import ENERGY_UNITS, Raw, mapping, number, optional_text, rows, stamp

# Members of a series of production, of one of charge and discharge, and of the state of charge.
PRODUCED = ("energy",)
FLOWS = ("chargeEnergy", "dischargeEnergy")
CHARGE = "stateOfEnergy"
PERCENT = {"PERCENTAGE": 1.0}
# How long a bucket is: a fixed time, or a unit of the calendar.
STEPS = {"QUARTER_HOUR": QUARTER, "HOUR": timedelta(hours=1)}
UNITS = {"DAY": CalendarUnit.DAY, "MONTH": CalendarUnit.MONTH, "YEAR": CalendarUnit.YEAR}
RESOLUTIONS = [*STEPS, *UNITS]
NOON = timedelta(hours=12)


def to_rows(series: Raw, members: tuple[str, ...], clock: tzinfo, requested: str) -> list[Row]:
    """Rows as long as the reply says. Of days and longer ones, where shorter ones were requested, only the sum is
    known."""
    resolution = resolution_of(series, members[0], requested)
    if resolution in STEPS:
        return buckets(series, members, STEPS[resolution])
    is_lump = RESOLUTIONS.index(resolution) > RESOLUTIONS.index(requested)
    return [replace(row, is_lump=is_lump) for row in totals(series, members, clock, UNITS[resolution])]


def resolution_of(series: Raw, member: str, requested: str) -> str:
    """The resolution that the reply names, with the values or for all series; without one the requested resolution."""
    resolution = (
        optional_text(mapping(series, member), "resolution") or optional_text(series, "resolution") or requested
    )
    if resolution not in RESOLUTIONS:
        raise ValueError("an unknown resolution")
    return resolution


def buckets(series: Raw, members: tuple[str, ...], step: timedelta) -> list[Row]:
    """Rows from one bucket's start to the next one's, with the state of charge.

    Not by a fixed step: an hour lasts 90 minutes where the clock moves by 30.
    """
    ends = {
        at: after if after - at < 2 * step else at + step
        for at, after in pairwise(bucket_starts(mapping(series, members[0])))
    }
    charge = values_of(mapping(series, CHARGE), PERCENT)
    return [
        Row(sample.at, ends.get(sample.at, sample.at + step), sample.kwh, charge.get(sample.at))
        for sample in to_samples(series, members)
    ]


def totals(series: Raw, members: tuple[str, ...], clock: tzinfo, unit: CalendarUnit) -> list[Row]:
    """Rows of days or longer ones, without a state of charge, which means nothing for so long a time."""
    # A site without a time zone is given UTC's clock; at noon the date is the same on both.
    at_noon = [replace(sample, at=sample.at + NOON) for sample in to_samples(series, members)]
    return rows_from_totals(at_noon, clock, unit)


def to_samples(series: Raw, members: tuple[str, ...]) -> list[Sample]:
    """Energies of each bucket in kWh, stamped with its start. A bucket in which one energy is null is left out."""
    energies = [values_of(mapping(series, member), ENERGY_UNITS) for member in members]
    complete = set(energies[0]).intersection(*energies)
    return [Sample(at, tuple(values[at] for values in energies)) for at in sorted(complete)]


def values_of(series: Raw, units: Mapping[str, float]) -> dict[datetime, float]:
    """Values that are not null, by the start of their bucket; of one that comes twice the last, null or not.

    Each series names its unit, which may change with the size of its values; without a known unit it has no values.
    """
    factor = units.get((optional_text(series, "unit") or "").upper())
    if factor is None:
        return {}
    stamped = ((stamp(raw, "timestamp"), number(raw, "value")) for raw in rows(series, "values", optional=True))
    last = {at.astimezone(UTC): value for at, value in stamped if at}
    return {at: value * factor for at, value in last.items() if value is not None}


def bucket_starts(series: Raw) -> list[datetime]:
    """The starts of all buckets in the order of time, also of those without a value."""
    stamps = (stamp(raw, "timestamp") for raw in rows(series, "values", optional=True))
    return sorted({at.astimezone(UTC) for at in stamps if at})


def with_replaced(rows: Iterable[Row], replaced: Iterable[Row]) -> list[Row]:
    """Rows of a battery and of the one that it replaced; they add up where both have one, as on the day of the swap."""
    by_start = {row.start: row for row in rows}
    for old in replaced:
        row = by_start.get(old.start)
        by_start[old.start] = sum_of(row, old) if row else old
    return [by_start[start] for start in sorted(by_start)]


def sum_of(row: Row, other: Row) -> Row:
    """The first row with the energies of both, as far as they are known."""
    energies = [kwh for kwh in (row.kwh, other.kwh) if kwh is not None]
    return replace(row, kwh=tuple(map(fsum, zip(*energies, strict=True))))
