"""SMA's lists as sites, inverters and batteries."""

from math import fsum
from typing import Any
from urllib.parse import unquote

from vendors.kit import Battery, DeviceRow, Shape, Site, SiteRow, SolarInverter
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
    rows,
    text,
    zone_name,
)

INVERTER_TYPE = "Solar Inverters"
# "Battery Inverter" in all samples; which other words may follow is not known.
BATTERY_TYPE = "Battery"
DEVICES = Shape(
    {
        "plant": ("plantId",),
        "devices": [("type", "deviceId", "isActive", "generatorPower", "serial", "product", "name", "batteryCapacity")],
    }
)
GENERATORS = Shape({"plant": ("plantId",), "devices": [("generatorPower",)]})
# Where an answer names its plant or device, by the first part of its path.
OWNERS = {"plants": (("plant", "plantId"),), "devices": (("device", "deviceId"), ("details", "deviceId"))}


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
    """Solar inverter or battery from a device; None for meters, sensors, chargers and deactivated devices."""
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
    """Only the detail has the capacity, in Wh, as ratings are in W."""
    return of_device(raw) | {"nameplate_kwh": rating(raw, "batteryCapacity")}


def checked(raw: Raw, url: str) -> Raw:
    """The answer; raises WrongRecord if it names another plant or device than its URL."""
    kind, id = url.partition("/v1/")[2].split("/")[:2]
    for head, member in OWNERS.get(kind, ()):
        check_id(mapping(raw, head), member, unquote(id))
    return raw


def generators_kw(raw: Raw) -> float:
    """Rated power of all devices in a list of devices together."""
    return fsum(rating(device, "generatorPower") or 0.0 for device in rows(raw, "devices"))
