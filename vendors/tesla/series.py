"""Tesla's histories as rows: energies of a site in Wh, stamped with the start of the time in which they flowed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from math import fsum
from statistics import median_low

from vendors.kit import CalendarUnit, Quality, Row, Sample, distances, last_of_each, rows_from_amounts, rows_from_totals
from vendors.kit.parsing.reading import Raw, number, stamp

# The members that add up to each energy. Rows have members with the sums too, but not every row has every sum.
Energies = tuple[tuple[str, ...], ...]
PRODUCED: Energies = (("solar_energy_exported",),)
FLOWS: Energies = (
    (
        "battery_energy_imported_from_grid",
        "battery_energy_imported_from_solar",
        "battery_energy_imported_from_generator",
    ),
    ("battery_energy_exported",),
)
# The unit that a row covers in periods longer than a day.
UNITS = {"month": CalendarUnit.DAY, "year": CalendarUnit.MONTH, "lifetime": CalendarUnit.YEAR}
# In a day: five minutes, and fifteen in answers of an older API. Longer distances are gaps unless they repeat.
STEP, LONGEST_STEP, LONGEST_REGULAR_STEP = timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)
HALF_A_DAY = timedelta(hours=12)


def to_rows(raws: Iterable[Raw], energies: Energies, period: str, clock: tzinfo) -> list[Row]:
    """Rows in kWh from the `time_series` of a period, derived where the vendor's dates do not begin on the clock's."""
    samples = to_samples(raws, energies)
    if period == "day":
        return rows_from_amounts(samples, usual_step(samples), at_end=False)
    # Stamps may have the offset of another season, an hour off the midnight of their date: noon is surely on that date.
    at_noon = [replace(sample, at=sample.at + HALF_A_DAY) for sample in samples]
    stamps = {sample.at for sample in samples}
    totals = rows_from_totals(at_noon, clock, UNITS[period])
    return [row if row.start in stamps else replace(row, quality=Quality.DERIVED) for row in totals]


def to_samples(raws: Iterable[Raw], energies: Energies) -> list[Sample]:
    """Rows in kWh. A member that a row leaves out is 0; rows with none of them, with a null or without a possible time
    are left out."""
    timed: list[tuple[datetime, Sample | None]] = []
    for raw in raws:
        at = stamp(raw, "timestamp")
        wh_by_energy = [[number(raw, name) for name in members if name in raw] for members in energies]
        if at is None:
            continue
        at = at.astimezone(UTC)
        is_known = any(wh_by_energy) and not any(wh is None for parts in wh_by_energy for wh in parts)
        kwh = tuple(fsum(wh or 0.0 for wh in parts) / 1000 for parts in wh_by_energy)
        timed.append((at, Sample(at, kwh) if is_known else None))
    return last_of_each(timed)


def usual_step(samples: Sequence[Sample]) -> timedelta:
    """The time between most rows; a longer one that does not repeat is a gap."""
    between = distances(samples) or [STEP]
    step = median_low(between)
    is_regular = step <= LONGEST_REGULAR_STEP and between.count(step) > 1
    return step if step <= LONGEST_STEP or is_regular else STEP
