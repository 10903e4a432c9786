"""SolarEdge's answers as records and rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from vendors.kit import Battery, Message, Row, Sample, Shape, Site, SolarInverter, hours, labelled
from vendors.kit.reading import (
    ENERGY_UNITS,
    POWER_UNITS,
    Raw,
    mapping,
    moment,
    number,
    optional_text,
    positive,
    rows,
    stamp,
    text,
    zone_name,
)
from vendors.kit.windows import QUARTER

# The unit of `nameplate` is not documented; v1 gave W for inverters and Wh for batteries.
NAMEPLATE_PER_KILO = 1000.0
PRODUCED = ("energy",)
FLOWS = ("chargeEnergy", "dischargeEnergy")
POWERS = ("chargePower", "dischargePower")
CHARGE = "stateOfEnergy"
PERCENT = {"PERCENTAGE": 1.0}
DEVICES = Shape([("type", "serialNumber", "model", "partNumber", "name", "nameplate", "connectedTo")])
NOON = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Present:
    """The newest quarter of a site, inverter or battery: its end, mean powers, and the charge."""

    until: datetime
    power_kw: float | None = None
    charge_kw: float | None = None
    discharge_kw: float | None = None
    soc_percent: float | None = None


def to_site(raw: Raw) -> Site:
    """Site from an entry of `/sites`; the time zone may stand in the detail only."""
    return Site.listed(text(raw, "siteId"), of_site, raw)


def of_site(raw: Raw) -> dict[str, Any]:
    return {
        "name": optional_text(raw, "name") or text(raw, "siteId"),
        "timezone": zone_name(mapping(raw, "location"), "timezone"),
        "operational_since": moment(raw, "installationDate"),
        "peak_power_kw": positive(raw, "peakPower"),
    }


def to_device(site: str, raw: Raw) -> SolarInverter | Battery | None:
    """Solar inverter or battery; None for meters, optimizers, gateways and the rest."""
    kind = text(raw, "type")
    if kind not in ("INVERTER", "BATTERY"):
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
    nameplate = positive(raw, "nameplate")
    return None if nameplate is None else nameplate / NAMEPLATE_PER_KILO


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


def buckets(series: Raw, members: tuple[str, ...], step: timedelta) -> list[Row]:
    """Rows from one bucket's start to the next one's, with the state of charge.

    Not by a fixed step: an hour lasts 90 minutes where the clock moves by 30.
    """
    until = {
        at: after if after - at < 2 * step else at + step
        for at, after in pairwise(sorted(set(_stamps(mapping(series, members[0])))))
    }
    charge = _values(mapping(series, CHARGE), PERCENT)
    return [
        Row(sample.at, until.get(sample.at, sample.at + step), sample.kwh, charge.get(sample.at))
        for sample in to_samples(series, members)
    ]


def totals(series: Raw, members: tuple[str, ...], clock: tzinfo, unit: str) -> list[Row]:
    """Rows of days or months; a state of charge says nothing about those."""
    # At noon it is the same date on UTC's clock, which is taken for that of a site without a time zone.
    at_noon = [replace(sample, at=sample.at + NOON) for sample in to_samples(series, members)]
    return labelled(at_noon, clock, unit)


def to_output(series: Raw) -> Present | None:
    """What was produced in the newest quarter with an energy."""
    rows = buckets(series, PRODUCED, QUARTER)
    newest = rows[-1] if rows else None
    if newest is None or newest.kwh is None:
        return None
    return Present(newest.end, power_kw=newest.kwh[0] / hours(newest.end - newest.start))


def to_flow(series: Raw) -> Present | None:
    """What a battery did in the newest quarter of which anything is known."""
    charged, discharged = (_values(mapping(series, member), POWER_UNITS) for member in POWERS)
    charge = _values(mapping(series, CHARGE), PERCENT)
    newest = max([*charged, *discharged, *charge], default=None)
    if newest is None:
        return None
    charge_kw, discharge_kw = one_way(charged.get(newest), discharged.get(newest))
    return Present(newest + QUARTER, None, charge_kw, discharge_kw, charge.get(newest))


def one_way(charge_kw: float | None, discharge_kw: float | None) -> tuple[float | None, float | None]:
    """Of both means of a quarter in which a battery turned round, what is left over; as given where one is missing."""
    if charge_kw is None or discharge_kw is None:
        return charge_kw, discharge_kw
    return max(charge_kw - discharge_kw, 0.0), max(discharge_kw - charge_kw, 0.0)


def _values(series: Raw, units: Mapping[str, float]) -> dict[datetime, float]:
    """Values that are not null, by the start of their bucket; of one that comes twice the last.

    Every series has a unit of its own, which may change with the size of its values; without a known one it says
    nothing.
    """
    factor = units.get((optional_text(series, "unit") or "").upper())
    if factor is None:
        return {}
    told = ((stamp(raw, "timestamp"), number(raw, "value")) for raw in rows(series, "values", optional=True))
    return {at.astimezone(UTC): value * factor for at, value in told if at and value is not None}


def _stamps(series: Raw) -> list[datetime]:
    """The starts of all buckets, those without a value as well."""
    told = (stamp(raw, "timestamp") for raw in rows(series, "values", optional=True))
    return [at.astimezone(UTC) for at in told if at]


def to_message(serial_number: str, raw: Raw) -> Message | None:
    """An open alert of that device; what its impact means is not documented, so all are warnings."""
    if optional_text(mapping(raw, "component"), "serialNumber") != serial_number:
        return None
    words = [optional_text(raw, "category"), optional_text(raw, "type")]
    return Message("warning", ": ".join(word for word in words if word) or "open alert")
