"""SMA's measurements as rows: on the plant's clock, of the step that the answer names, and of the time asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from math import fsum
from statistics import median_low

from vendors.kit import (
    GAP,
    Bess,
    CalendarUnit,
    Row,
    Sample,
    distances,
    last_of_each,
    rows_from_amounts,
    rows_from_totals,
)
from vendors.kit.parsing.reading import (
    Raw,
    charge_and_discharge,
    kilo,
    mapping,
    moment,
    number,
    optional_text,
    rows,
    stamp,
)
from vendors.kit.series.windows import QUARTER

# Members of a row in Wh or W.
PRODUCED = ("pvGeneration",)
FLOWS = ("batteryCharging", "batteryDischarging")
CHARGE = "batteryStateOfCharge"
# By `resolution`: how long a row lasts that is stamped with its end, or the calendar's unit of one with its date.
STEPS = {
    "OneMinute": timedelta(minutes=1),
    "FiveMinutes": timedelta(minutes=5),
    "FifteenMinutes": timedelta(minutes=15),
    "OneHour": timedelta(hours=1),
}
UNITS = {"OneDay": CalendarUnit.DAY, "OneMonth": CalendarUnit.MONTH, "OneYear": CalendarUnit.YEAR}


@dataclass(frozen=True, slots=True)
class Present:
    """The newest row. Without powers, where they are means of more than a quarter of an hour."""

    measured_at: datetime | None = None
    power_kw: float | None = None
    charge_kw: float | None = None
    discharge_kw: float | None = None
    soc_percent: float | None = None
    has_battery: bool = False

    @property
    def bess(self) -> Bess | None:
        return Bess(soc_percent=self.soc_percent) if self.has_battery else None


def to_rows(raw: Raw, members: tuple[str, ...], clock: tzinfo, usual: str, start: datetime, end: datetime) -> list[Row]:
    """The rows of a period, which is from start to end.

    usual: the resolution that the period mostly has. The parts of coarser rows are unknown. Rows of a day whose
    resolution is not known are as long as most stamps are apart; of a single one nobody knows how long it is.
    """
    resolution = optional_text(raw, "resolution") or (usual if usual in UNITS else None)
    samples = to_samples(rows(raw, "set", optional=True), members, clock)
    if resolution in UNITS:
        of_period = [sample for sample in samples if start <= sample.at < end]
        found = rows_from_totals(of_period, clock, UNITS[resolution])
        return found if resolution == usual else [replace(row, is_lump=True) for row in found]
    of_period = [sample for sample in samples if start < sample.at <= end]
    step = STEPS.get(resolution or "") or step_between(of_period)
    found = rows_from_amounts(of_period, step or GAP, at_end=True, catches_up=True)
    return [replace(row, is_lump=True) for row in found] if step is None or step > GAP else found


def step_between(samples: Iterable[Sample]) -> timedelta | None:
    """The time between most rows; None for a single one."""
    between = distances(samples)
    return median_low(between) if between else None


def to_samples(raws: Iterable[Raw], members: tuple[str, ...], clock: tzinfo) -> list[Sample]:
    """Rows of a set, in kWh; those without a value are left out. Times are on the plant's clock, without an offset.

    Nothing tells the two passes of a doubled hour apart but the order: a row that seems to lie before the one
    before it belongs to the second pass.
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


def to_present(raw: Raw, clock: tzinfo, now: datetime) -> Present:
    """The newest row up to now, in W, wherever it stands: a row after now is none. Of one that comes twice the last.

    A single row without a known resolution, which `Recent` mostly is, is taken for one of a quarter at most.
    """
    stamped = {at: row for row in rows(raw, "set", optional=True) if (at := time_of(row, clock)) and at <= now}
    if not stamped:
        return Present()
    measured_at = max(stamped)
    newest = stamped[measured_at]
    flows_w = [number(newest, member) for member in FLOWS]
    found = Present(measured_at, soc_percent=number(newest, CHARGE), has_battery=flows_w[0] is not None)
    resolution = optional_text(raw, "resolution") or ""
    step = STEPS.get(resolution) or step_between(Sample(at, ()) for at in stamped) or QUARTER
    if resolution in UNITS or step > QUARTER:
        return found
    charge_kw, discharge_kw = flows_kw(flows_w)
    return replace(found, power_kw=kilo(newest, PRODUCED[0]), charge_kw=charge_kw, discharge_kw=discharge_kw)


def flows_kw(flows_w: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Power into and out of a battery. Both are means of a row, in which it may have turned round: their difference."""
    charge_w, discharge_w = flows_w
    if charge_w is None or discharge_w is None:
        return charge_and_discharge(None)
    return charge_and_discharge((charge_w - discharge_w) / 1000)


def lifetime_kwh(raw: Raw) -> float | None:
    """Sum of an answer of the period `Total`; its rows are years."""
    total = number(mapping(raw, "total"), PRODUCED[0])
    if total is not None:
        return total / 1000
    years = to_samples(rows(raw, "set", optional=True), PRODUCED, UTC)
    return fsum(year.kwh[0] for year in years) if years else None


def time_of(row: Raw, clock: tzinfo) -> datetime | None:
    """When a row ended, from the plant's clock; None for an empty row."""
    at = moment(row, "time", clock)
    return at.astimezone(UTC) if at else None
