"""SolarEdge's sites and devices as records."""

from typing import Any

from vendors.kit import Battery, DeviceRow, Reply, Shape, Site, SiteRow, SolarInverter
from vendors.kit.parsing.reading import (
    Raw,
    check_id,
    flag,
    mapping,
    moment,
    optional_text,
    positive,
    rating,
    rows,
    text,
    zone_name,
)

INVERTER, BATTERY = "INVERTER", "BATTERY"
DEVICES = Shape([("type", "serialNumber", "active", "model", "partNumber", "name", "nameplate", "connectedTo")])


def to_site(raw: Raw) -> SiteRow:
    """Site from an entry of `/sites`; the time zone may stand in the detail only."""
    return Site.listed(text(raw, "siteId"), of_site, raw)


def to_requested_row(site: str, raw: Raw) -> SiteRow:
    """Site from its detail. Raises WrongRecord if the reply is about another site."""
    check_id(raw, "siteId", site)
    return to_site(raw)


def is_full(reply: Reply, size: int, *path: str) -> bool:
    """Whether a page has as many rows as it may, so that it may not be the last; unreadable rows count as well."""
    return reply.record(lambda raw: len(rows(raw, *path))) >= size


def of_site(raw: Raw) -> dict[str, Any]:
    return {
        "name": optional_text(raw, "name") or text(raw, "siteId"),
        "timezone": zone_name(mapping(raw, "location"), "timezone"),
        "operational_since": moment(raw, "installationDate"),
        "peak_power_kw": positive(raw, "peakPower"),
    }


def to_device(site: str, raw: Raw) -> DeviceRow | None:
    """Solar inverter or battery; None for meters, optimizers, gateways and so on, and for replaced devices."""
    kind = text(raw, "type")
    if kind not in (INVERTER, BATTERY) or is_replaced(raw):
        return None
    serial_number = text(raw, "serialNumber")
    if kind == INVERTER:
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
    """The nameplate in kW or kWh. Its unit is not documented; version 1 gave W for inverters and Wh for batteries."""
    return rating(raw, "nameplate")


def is_replaced(raw: Raw) -> bool:
    """Whether another device has taken its place; the old one stays in the list, under its name."""
    return flag(raw, "active") is False


def to_replaced_battery(raw: Raw) -> str | None:
    """The serial number of a battery that was replaced; None for any other device."""
    return text(raw, "serialNumber") if text(raw, "type") == BATTERY and is_replaced(raw) else None


def to_hybrid_inverter(raw: Raw) -> str | None:
    """The serial number of the inverter on whose direct-current side a battery is; None for any other device.

    The energy of such an inverter includes what its battery discharged, and lacks what went into the battery.
    """
    return optional_text(raw, "connectedTo") if text(raw, "type") == BATTERY else None
