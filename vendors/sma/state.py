"""State of SMA's plants and devices: their newest row, today's and lifetime production, and status."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from math import fsum

from vendors.kit import QUARTER, Bess, Production, Row, Sample, SolarInverter, Status, hours
from vendors.kit.parsing.reading import Raw, charge_and_discharge, kilo, mapping, moment, number, optional_text, rows
from vendors.sma.series import CHARGE, FLOWS, PRODUCED, STEPS, UNITS, to_samples, usual_step

STATUSES = {"ok": Status.NORMAL, "warning": Status.WARNING, "error": Status.FAULT, "off": Status.OFF}


@dataclass(frozen=True, slots=True)
class Present:
    """The newest row. Without powers where they are means of more than a quarter of an hour."""

    measured_at: datetime | None = None
    power_kw: float | None = None
    charge_kw: float | None = None
    discharge_kw: float | None = None
    soc_percent: float | None = None
    has_battery: bool = False

    @property
    def bess(self) -> Bess | None:
        return Bess(soc_percent=self.soc_percent) if self.has_battery else None


def to_status(raw: Raw) -> tuple[Status | None, str | None]:
    """Status and SMA's word for it, from an answer of `/status`."""
    word = optional_text(mapping(raw, "device"), "status")
    return (STATUSES.get(word.lower(), Status.UNKNOWN), word) if word else (None, None)


def to_present(raw: Raw, clock: tzinfo, now: datetime) -> Present:
    """The newest row up to now, in W, wherever it is in the list; the last of two with the same time.

    A single row without a known resolution, the usual answer to `Recent`, is taken for a quarter of an hour at most.
    """
    stamped = {at: row for row in rows(raw, "set", optional=True) if (at := time_of(row, clock)) and at <= now}
    if not stamped:
        return Present()
    measured_at = max(stamped)
    newest = stamped[measured_at]
    flows_w = [number(newest, member) for member in FLOWS]
    present = Present(measured_at, soc_percent=number(newest, CHARGE), has_battery=flows_w[0] is not None)
    resolution = optional_text(raw, "resolution") or ""
    step = STEPS.get(resolution) or usual_step(Sample(at, ()) for at in stamped) or QUARTER
    if resolution in UNITS or step > QUARTER:
        return present
    charge_kw, discharge_kw = flows_kw(flows_w)
    return replace(present, power_kw=kilo(newest, PRODUCED[0]), charge_kw=charge_kw, discharge_kw=discharge_kw)


def time_of(row: Raw, clock: tzinfo) -> datetime | None:
    """When a row ended, from the plant's clock; None for an empty row."""
    at = moment(row, "time", clock)
    return at.astimezone(UTC) if at else None


def flows_kw(flows_w: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Power into and out of a battery: the difference of two means, since it may have turned round within the row."""
    charge_w, discharge_w = flows_w
    if charge_w is None or discharge_w is None:
        return charge_and_discharge(None)
    return charge_and_discharge((charge_w - discharge_w) / 1000)


def with_today(inverter: SolarInverter, of_today: Sequence[Row], midnight: datetime) -> SolarInverter:
    """The inverter with its power and today's production; unchanged where the newest row is missing or impossible."""
    if not of_today or of_today[-1].kwh is None:
        return inverter
    newest = of_today[-1]
    length = newest.end - newest.start
    return replace(
        inverter,
        # The mean of an hour, or of a gap, is not the power now.
        power_kw=of_today[-1].kwh[0] / hours(length) if length <= QUARTER else None,
        measured_at=newest.end,
        recent_production=Production(fsum(row.kwh[0] for row in of_today if row.kwh), midnight),
    )


def lifetime_kwh(raw: Raw) -> float | None:
    """Sum of an answer of the period `Total`; its rows are years."""
    total_kwh = kilo(mapping(raw, "total"), PRODUCED[0])
    if total_kwh is not None:
        return total_kwh
    years = to_samples(rows(raw, "set", optional=True), PRODUCED, UTC)
    return fsum(year.kwh[0] for year in years) if years else None
