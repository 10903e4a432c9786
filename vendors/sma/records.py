"""SMA's answers as records and rows."""

from typing import Any
from urllib.parse import unquote

from vendors.kit import Battery, DeviceRow, Shape, Site, SiteRow, SolarInverter, Status
from vendors.kit.parsing.reading import (
    Raw,
    check_id,
    flag,
    mapping,
    moment,
    number,
    optional_text,
    positive,
    rating,
    text,
    zone_name,
)

INVERTER_TYPE = "Solar Inverters"
BATTERY_TYPE = "Battery"  # "Battery Inverter" is what was seen; what else may follow the word is not known.
DEVICES = Shape(
    {
        "plant": ("plantId",),
        "devices": [("type", "deviceId", "isActive", "generatorPower", "serial", "product", "name", "batteryCapacity")],
    }
)
# Whose id an answer names, by what its path begins with.
OWNERS = {"plants": (("plant", "plantId"),), "devices": (("device", "deviceId"), ("details", "deviceId"))}
STATUSES = {"ok": Status.NORMAL, "warning": Status.WARNING, "error": Status.FAULT, "off": Status.OFF}


def to_site(raw: Raw) -> SiteRow:
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


def to_device(plant: str, raw: Raw) -> DeviceRow | None:
    """Solar inverter or battery from a device; None for meters, sensors, chargers and what is deactivated."""
    kind = text(raw, "type")
    device = text(raw, "deviceId")
    if flag(raw, "isActive") is False:
        return None
    if kind == INVERTER_TYPE and positive(raw, "generatorPower") is not None:
        return SolarInverter.listed((device,), device, plant, of_inverter, raw)
    if kind.startswith(BATTERY_TYPE):
        return Battery.listed((device,), device, plant, of_battery, raw)
    return None


def of_device(raw: Raw) -> dict[str, Any]:
    return {
        "serial_number": optional_text(raw, "serial") or "",
        "model": optional_text(raw, "product") or "",
        "name": optional_text(raw, "name"),
    }


def of_inverter(raw: Raw) -> dict[str, Any]:
    return of_device(raw) | {"rated_power_kw": rating(raw, "generatorPower")}


def of_battery(raw: Raw) -> dict[str, Any]:
    """The capacity stands in the detail alone, in Wh, as ratings stand in W."""
    return of_device(raw) | {"nameplate_kwh": rating(raw, "batteryCapacity")}


def to_status(raw: Raw) -> tuple[Status | None, str | None]:
    """Status and SMA's word for it, from an answer of `/status`."""
    word = optional_text(mapping(raw, "device"), "status")
    return (STATUSES.get(word.lower(), Status.UNKNOWN), word) if word else (None, None)


def asked_for(raw: Raw, url: str) -> Raw:
    """The answer, if it is about the plant or device in its URL as far as it says so. Raises WrongRecord."""
    kind, id = url.partition("/v1/")[2].split("/")[:2]
    for head, member in OWNERS.get(kind, ()):
        check_id(mapping(raw, head), member, unquote(id))
    return raw
