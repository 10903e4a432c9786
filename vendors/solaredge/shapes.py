"""SolarEdge's answers as records and rows."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import fsum
from typing import Any

from vendors.kit import Battery, Message, Row, Sample, Site, SolarInverter, hours, latest
from vendors.kit.reading import (
    ENERGY_UNITS,
    Raw,
    mapping,
    moment,
    number,
    optional_text,
    positive,
    rows,
    text,
    zone_name,
)

# The unit of `nameplate` is not documented; v1 gave W for inverters and Wh for batteries.
NAMEPLATE_PER_KILO = 1000.0
PRODUCED = ("energy",)
FLOWS = ("chargeEnergy", "dischargeEnergy")
CHARGE = "stateOfEnergy"


def to_site(raw: Raw) -> Site:
    """Site from an entry of `/sites`; the time zone may stand in the detail only."""
    site = text(raw, "siteId")
    return Site(
        key=(site,),
        vendor_id=site,
        name=optional_text(raw, "name") or site,
        timezone=zone_name(mapping(raw, "location"), "timezone"),
        operational_since=moment(raw, "installationDate"),
        peak_power_kw=positive(raw, "peakPower"),
    )


def to_device(site: str, raw: Raw) -> SolarInverter | Battery | None:
    """Solar inverter or battery; None for meters, optimizers, gateways and the rest."""
    kind = text(raw, "type")
    if kind not in ("INVERTER", "BATTERY"):
        return None
    serial_number = text(raw, "serialNumber")
    nameplate = positive(raw, "nameplate")
    nameplate_kilo = None if nameplate is None else nameplate / NAMEPLATE_PER_KILO
    identity: dict[str, Any] = {
        "key": (site, serial_number),
        "vendor_id": serial_number,
        "site_key": (site,),
        "vendor_site_id": site,
        "serial_number": serial_number,
        "model": optional_text(raw, "model") or optional_text(raw, "partNumber") or "",
        "name": optional_text(raw, "name"),
    }
    if kind == "INVERTER":
        return SolarInverter(**identity, rated_power_kw=nameplate_kilo)
    return Battery(**identity, nameplate_kwh=nameplate_kilo)


def to_coupled(raw: Raw) -> str | None:
    """Of a battery on the direct current side of an inverter that inverter's serial number.

    What such an inverter gives holds what its battery gave, and lacks what went into it.
    """
    return optional_text(raw, "connectedTo") if text(raw, "type") == "BATTERY" else None


def to_samples(series: Raw, members: tuple[str, ...]) -> list[Sample]:
    """Buckets of a device in kWh, stamped with their start; null is no value and no bucket.

    Every series has a unit of its own, which may change with the size of its values; without a known one it says
    nothing.
    """
    energies = [_kwh(mapping(series, member)) for member in members]
    charge = _values(mapping(series, CHARGE))
    found = []
    for at in energies[0]:
        kwh = [values[at] for values in energies if at in values]
        if len(kwh) == len(members):
            found.append(Sample(at, tuple(kwh), charge.get(at)))
    return found


def _kwh(series: Raw) -> dict[datetime, float]:
    factor = ENERGY_UNITS.get((optional_text(series, "unit") or "").upper())
    return {} if factor is None else {at: value * factor for at, value in _values(series).items()}


def _values(series: Raw) -> dict[datetime, float]:
    found = {}
    for raw in rows(series, "values", optional=True):
        value = number(raw, "value")
        if value is not None:
            found[stamp(raw)] = value
    return found


def stamp(raw: Raw) -> datetime:
    return datetime.fromisoformat(text(raw, "timestamp")).astimezone(UTC)


def stamps(series: Raw) -> list[datetime]:
    """The starts of all buckets, those without a value as well."""
    return [stamp(raw) for raw in rows(series, "values", optional=True)]


def buckets(series: Raw, members: tuple[str, ...], step: timedelta) -> list[Row]:
    """Rows from one bucket's start to the next one's.

    Not by a fixed step: an hour lasts 90 minutes where the clock moves by 30.
    """
    until = {
        at: after if after - at < 2 * step else at + step
        for at, after in pairwise(sorted(set(stamps(mapping(series, members[0])))))
    }
    return [
        Row(sample.at, until.get(sample.at, sample.at + step), sample.kwh, sample.soc_percent)
        for sample in latest(to_samples(series, members))
    ]


def to_message(serial_number: str, raw: Raw) -> Message | None:
    """An open alert of that device; what its impact means is not documented, so all are warnings."""
    if optional_text(mapping(raw, "component"), "serialNumber") != serial_number:
        return None
    words = [optional_text(raw, "category"), optional_text(raw, "type")]
    return Message("warning", ": ".join(word for word in words if word) or "open alert")


def power_kw(row: Row | None, which: int) -> float | None:
    """Mean power of a quarter."""
    return row.kwh[which] / hours(row.end - row.start) if row and row.kwh else None


def sum_kwh(rows: list[Row]) -> float:
    return fsum(row.kwh[0] for row in rows if row.kwh)
