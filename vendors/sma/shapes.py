"""SMA's answers as records and rows."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

from vendors.kit import Battery, Sample, Shape, Site, SolarInverter, Status
from vendors.kit.reading import Raw, mapping, moment, number, optional_text, positive, stamp, text, zone_name

INVERTER_TYPE = "Solar Inverters"
BATTERY_TYPE = "Battery"  # "Battery Inverter" is what was seen; what else may follow the word is not known.
DEVICES = Shape(
    {"devices": [("type", "deviceId", "isActive", "generatorPower", "serial", "product", "name")]}
)
STATUSES = {"ok": Status.NORMAL, "warning": Status.WARNING, "error": Status.FAULT, "off": Status.OFF}

# Members of a row in Wh or W.
PRODUCED = ("pvGeneration",)
FLOWS = ("batteryCharging", "batteryDischarging")
CHARGE = "batteryStateOfCharge"


def to_site(raw: Raw) -> Site:
    """Site from one entry of `plants`."""
    return Site.listed(text(raw, "plantId"), of_site, raw)


def of_site(raw: Raw) -> dict[str, Any]:
    """Installation and location may be absent."""
    installation = mapping(raw, "installation")
    address = mapping(mapping(raw, "location"), "address")
    return {
        "name": optional_text(raw, "name") or text(raw, "plantId"),
        "timezone": zone_name(raw, "timezone"),
        "latitude": number(address, "latitude"),
        "longitude": number(address, "longitude"),
        "operational_since": moment(installation, "startUpUtc"),
        "peak_power_kw": rating(installation, "peakPower"),
    }


def to_device(plant: str, raw: Raw) -> SolarInverter | Battery | None:
    """Solar inverter or battery from a device; None for meters, sensors, chargers and what is deactivated."""
    kind = text(raw, "type")
    device = text(raw, "deviceId")
    if raw.get("isActive") is False:
        return None
    if kind == INVERTER_TYPE and positive(raw, "generatorPower") is not None:
        return SolarInverter.listed((device,), device, plant, of_inverter, raw)
    if kind.startswith(BATTERY_TYPE):
        return Battery.listed((device,), device, plant, of_device, raw)
    return None


def of_device(raw: Raw) -> dict[str, Any]:
    return {
        "serial_number": optional_text(raw, "serial") or "",
        "model": optional_text(raw, "product") or "",
        "name": optional_text(raw, "name"),
    }


def of_inverter(raw: Raw) -> dict[str, Any]:
    return of_device(raw) | {"rated_power_kw": rating(raw, "generatorPower")}


def rating(raw: Raw, name: str) -> float | None:
    """A nameplate's W as kW; None where it is 0."""
    value_w = positive(raw, name)
    return None if value_w is None else value_w / 1000


def to_status(raw: Raw) -> tuple[Status | None, str | None]:
    """Status and SMA's word for it, from an answer of `/status`."""
    word = optional_text(mapping(raw, "device"), "status")
    return (STATUSES.get(word.lower(), Status.UNKNOWN), word) if word else (None, None)


def to_samples(raws: Iterable[Raw], members: tuple[str, ...], clock: tzinfo) -> list[Sample]:
    """Rows of a set, in kWh; those without a value are left out. Times are on the plant's clock, without an offset.

    Nothing tells the two passes of a doubled hour apart but the order: a row that seems to lie before the one
    before it belongs to the second pass.
    """
    samples: list[Sample] = []
    last: datetime | None = None
    for raw in raws:
        at = stamp(raw, "time", clock)
        if at is None:
            continue
        if last and at.replace(fold=1).utcoffset() != at.utcoffset() and at.timestamp() <= last.timestamp():
            at = at.replace(fold=1)
        last = at
        wh = [value for member in members if (value := number(raw, member)) is not None]
        if len(wh) == len(members):
            # A plant's rows have the state of charge beside what the sun gave.
            charge = number(raw, CHARGE) if members == FLOWS else None
            samples.append(Sample(at.astimezone(UTC), tuple(value / 1000 for value in wh), charge))
    return samples
