"""SolarEdge's answers as records and rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from math import fsum
from typing import Any

from vendors.kit import (
    Battery,
    CalendarUnit,
    DeviceRow,
    Row,
    Sample,
    Shape,
    Site,
    SiteRow,
    SolarInverter,
    hours,
    rows_from_totals,
)
from vendors.kit.parsing.reading import (
    ENERGY_UNITS,
    POWER_UNITS,
    Raw,
    charge_and_discharge,
    check_id,
    flag,
    mapping,
    moment,
    number,
    optional_text,
    positive,
    rating,
    rows,
    stamp,
    text,
    zone_name,
)
from vendors.kit.series.windows import QUARTER

PRODUCED = ("energy",)
FLOWS = ("chargeEnergy", "dischargeEnergy")
POWERS = ("chargePower", "dischargePower")
CHARGE = "stateOfEnergy"
PERCENT = {"PERCENTAGE": 1.0}
DEVICES = Shape([("type", "serialNumber", "active", "model", "partNumber", "name", "nameplate", "connectedTo")])
# How long a bucket is: so much time, or so much of the calendar.
STEPS = {"QUARTER_HOUR": QUARTER, "HOUR": timedelta(hours=1)}
UNITS = {"DAY": CalendarUnit.DAY, "MONTH": CalendarUnit.MONTH, "YEAR": CalendarUnit.YEAR}
RESOLUTIONS = [*STEPS, *UNITS]
PRESENT = "QUARTER_HOUR"
NOON = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Present:
    """One bucket of a site, inverter or battery: its end, mean powers, and the charge."""

    until: datetime
    power_kw: float | None = None
    charge_kw: float | None = None
    discharge_kw: float | None = None
    soc_percent: float | None = None


def to_site(raw: Raw) -> SiteRow:
    """Site from an entry of `/sites`; the time zone may stand in the detail only."""
    return Site.listed(text(raw, "siteId"), of_site, raw)


def to_site_asked_for(site: str, raw: Raw) -> Site:
    """As `to_site`, of an answer about that one."""
    check_id(raw, "siteId", site)
    return to_site(raw).record()


def of_site(raw: Raw) -> dict[str, Any]:
    return {
        "name": optional_text(raw, "name") or text(raw, "siteId"),
        "timezone": zone_name(mapping(raw, "location"), "timezone"),
        "operational_since": moment(raw, "installationDate"),
        "peak_power_kw": positive(raw, "peakPower"),
    }


def to_device(site: str, raw: Raw) -> DeviceRow | None:
    """Solar inverter or battery; None for meters, optimizers, gateways and the rest, and for what was replaced."""
    kind = text(raw, "type")
    if kind not in ("INVERTER", "BATTERY") or is_replaced(raw):
        return None
    serial_number = text(raw, "serialNumber")
    if kind == "INVERTER":
        return SolarInverter.listed((site, serial_number), serial_number, site, of_inverter, raw)
    return Battery.listed((site, serial_number), serial_number, site, of_battery, raw)


def of_device(raw: Raw) -> dict[str, Any]:
    return {
        "serial_number": text(raw, "serialNumber"),
        "model": optional_text(raw, "model") or optional_text(raw, "partNumber") or "",
        "name": optional_text(raw, "name"),
    }


def of_inverter(raw: Raw) -> dict[str, Any]:
    return of_device(raw) | {"rated_power_kw": nameplate_kilo(raw)}


def of_battery(raw: Raw) -> dict[str, Any]:
    return of_device(raw) | {"nameplate_kwh": nameplate_kilo(raw)}


def nameplate_kilo(raw: Raw) -> float | None:
    """The unit of `nameplate` is not documented; version 1 gave W for inverters and Wh for batteries."""
    return rating(raw, "nameplate")


def is_replaced(raw: Raw) -> bool:
    """A device stays in the list, under its name, when another has taken its place."""
    return flag(raw, "active") is False


def to_former(raw: Raw) -> str | None:
    """The serial number of a battery that was replaced."""
    return text(raw, "serialNumber") if text(raw, "type") == "BATTERY" and is_replaced(raw) else None


def to_coupled(raw: Raw) -> str | None:
    """Of a battery on the direct current side of an inverter that inverter's serial number.

    What such an inverter gives holds what its battery gave, and lacks what went into it.
    """
    return optional_text(raw, "connectedTo") if text(raw, "type") == "BATTERY" else None


def to_samples(series: Raw, members: tuple[str, ...]) -> list[Sample]:
    """Energies of each bucket in kWh, stamped with its start; null is no value, and no bucket where one is missing."""
    energies = [_values(mapping(series, member), ENERGY_UNITS) for member in members]
    everywhere = set(energies[0]).intersection(*energies)
    return [Sample(at, tuple(values[at] for values in energies)) for at in sorted(everywhere)]


def resolution_of(series: Raw, member: str, asked: str) -> str:
    """The resolution that stands in the answer, at the values or next to all series; else the one asked for."""
    found = optional_text(mapping(series, member), "resolution") or optional_text(series, "resolution") or asked
    if found not in RESOLUTIONS:
        raise ValueError("an unknown resolution")
    return found


def fine_step(series: Raw, member: str) -> timedelta:
    """The length of rows that tell of the present. Raises ValueError for days and longer ones."""
    resolution = resolution_of(series, member, PRESENT)
    if resolution not in STEPS:
        raise ValueError("rows too long to tell of the present")
    return STEPS[resolution]


def to_rows(series: Raw, members: tuple[str, ...], clock: tzinfo, asked: str) -> list[Row]:
    """Rows as long as the answer says. Of days and longer ones, where shorter ones were asked for, only the sum is
    known."""
    resolution = resolution_of(series, members[0], asked)
    if resolution in STEPS:
        return buckets(series, members, STEPS[resolution])
    is_lump = RESOLUTIONS.index(resolution) > RESOLUTIONS.index(asked)
    return [replace(row, is_lump=is_lump) for row in totals(series, members, clock, UNITS[resolution])]


def buckets(series: Raw, members: tuple[str, ...], step: timedelta) -> list[Row]:
    """Rows from one bucket's start to the next one's, with the state of charge.

    Not by a fixed step: an hour lasts 90 minutes where the clock moves by 30.
    """
    until = {
        at: after if after - at < 2 * step else at + step for at, after in pairwise(starts(mapping(series, members[0])))
    }
    charge = _values(mapping(series, CHARGE), PERCENT)
    return [
        Row(sample.at, until.get(sample.at, sample.at + step), sample.kwh, charge.get(sample.at))
        for sample in to_samples(series, members)
    ]


def totals(series: Raw, members: tuple[str, ...], clock: tzinfo, unit: CalendarUnit) -> list[Row]:
    """Rows of days or longer ones; a state of charge says nothing about those."""
    # At noon it is the same date on UTC's clock, which is taken for that of a site without a time zone.
    at_noon = [replace(sample, at=sample.at + NOON) for sample in to_samples(series, members)]
    return rows_from_totals(at_noon, clock, unit)


def with_former(rows: Iterable[Row], former: Iterable[Row]) -> list[Row]:
    """Rows of a battery and of the one in whose place it came; they add up where both have one, as on that day."""
    found = {row.start: row for row in rows}
    for row in former:
        other = found.get(row.start, row)
        both = [one.kwh for one in (row, other) if one.kwh is not None]
        found[row.start] = other if other is row else replace(other, kwh=tuple(map(fsum, zip(*both, strict=True))))
    return [found[at] for at in sorted(found)]


def to_outputs(series: Raw) -> list[Present]:
    """Production of each bucket with an energy, as mean power."""
    rows = buckets(series, PRODUCED, fine_step(series, PRODUCED[0]))
    return [Present(row.end, row.kwh[0] / hours(row.end - row.start)) for row in rows if row.kwh is not None]


def to_flows(series: Raw) -> list[Present]:
    """State of a battery in each bucket of which anything is known."""
    charged, discharged = (_values(mapping(series, member), POWER_UNITS) for member in POWERS)
    charge = _values(mapping(series, CHARGE), PERCENT)
    step = fine_step(series, POWERS[0])
    return [
        Present(at + step, None, *one_way(charged.get(at), discharged.get(at)), charge.get(at))
        for at in sorted({*charged, *discharged, *charge})
    ]


def one_way(charge_kw: float | None, discharge_kw: float | None) -> tuple[float | None, float | None]:
    """Of both means of a quarter in which a battery turned round, what is left over; as given where one is missing."""
    if charge_kw is None or discharge_kw is None:
        return charge_kw, discharge_kw
    return charge_and_discharge(charge_kw - discharge_kw)


def sum_kw(powers: Iterable[float | None]) -> float | None:
    """None where one of them is unknown, or none is there."""
    known = list(powers)
    found = [power for power in known if power is not None]
    return fsum(found) if found and len(found) == len(known) else None


def _values(series: Raw, units: Mapping[str, float]) -> dict[datetime, float]:
    """Values that are not null, by the start of their bucket; of one that comes twice the last, null or not.

    Every series has a unit of its own, which may change with the size of its values; without a known one it says
    nothing.
    """
    factor = units.get((optional_text(series, "unit") or "").upper())
    if factor is None:
        return {}
    told = ((stamp(raw, "timestamp"), number(raw, "value")) for raw in rows(series, "values", optional=True))
    last = {at.astimezone(UTC): value for at, value in told if at}
    return {at: value * factor for at, value in last.items() if value is not None}


def starts(series: Raw) -> list[datetime]:
    """The starts of all buckets in the order of time, those without a value as well."""
    told = (stamp(raw, "timestamp") for raw in rows(series, "values", optional=True))
    return sorted({at.astimezone(UTC) for at in told if at})
