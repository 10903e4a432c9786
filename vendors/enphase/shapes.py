"""What both APIs of Enphase have in common: systems and their devices, as records.

Microinverters are the solar inverters; `encharges` (IQ Battery) and `acbs` (the older AC Battery) are the batteries.
Neither has a rating or a capacity of its own. The ids of AC Batteries repeat, so devices are keyed on system and
serial number.
"""

from typing import Any

from vendors.kit import Battery, Key, NotFound, Reply, Site, SolarInverter
from vendors.kit.reading import Raw, epoch, optional_text, text

INVERTERS = "micros"
BATTERIES = ("encharges", "acbs")
# Systems and devices of these kinds are no longer in service.
RETIRED = frozenset({"retired", "deactivated", "unused"})


def to_site(raw: Raw) -> Site | None:
    """Site from an entry of the list of systems; None when it is retired. Times are epoch seconds."""
    if is_retired(raw):
        return None
    system = text(raw, "system_id")
    return Site(
        key=(system,),
        vendor_id=system,
        name=optional_text(raw, "name") or system,
        timezone=optional_text(raw, "timezone"),
        operational_since=epoch(raw, "operational_at"),
    )


def devices_of(system: str, reply: Reply) -> list[SolarInverter | Battery]:
    """The devices in a reply of `/devices`; a type that the system does not have is absent there."""

    def to_inverter(raw: Raw) -> SolarInverter | None:
        return None if is_retired(raw) else SolarInverter(**identity(system, raw))

    def to_battery(raw: Raw) -> Battery | None:
        return None if is_retired(raw) else Battery(**identity(system, raw))

    found: list[SolarInverter | Battery] = [*reply.rows("devices", INVERTERS, to=to_inverter, optional=True)]
    for kind in BATTERIES:
        found += reply.rows("devices", kind, to=to_battery, optional=True)
    return found


def inverter_of(key: Key, devices: list[SolarInverter | Battery]) -> SolarInverter:
    """The microinverter with this key; NotFound when the system does not have it."""
    for device in devices:
        if isinstance(device, SolarInverter) and device.key == key:
            return device
    raise NotFound(why="the system has no such microinverter")


def is_retired(raw: Raw) -> bool:
    return raw.get("active") is False or (optional_text(raw, "status") or "").lower() in RETIRED


def identity(system: str, raw: Raw) -> dict[str, Any]:
    """The members that identify a device; `model` is empty for batteries, where the product's name tells it."""
    serial_number = text(raw, "serial_number")
    return {
        "key": (system, serial_number),
        "vendor_id": serial_number,
        "site_key": (system,),
        "vendor_site_id": system,
        "serial_number": serial_number,
        "model": optional_text(raw, "model") or optional_text(raw, "product_name") or "",
        "name": optional_text(raw, "name"),
    }


LACKS = frozenset({
    "battery.charge_kw", "battery.discharge_kw", "battery.kind", "battery.measured_at", "battery.mode",
    "battery.nameplate_kwh", "battery.rated_power_kw", "battery.recent_errors", "battery.soc_percent",
    "battery.status", "battery.vendor_status", "site.bess.mode", "site.bess.nameplate_kwh",
    "site.bess.soc_percent", "site.charge_kw", "site.discharge_kw", "site.latitude", "site.longitude",
    "site.measured_at", "site.peak_power_kw", "site.power_kw", "site.utc_offset_hours", "solar_inverter.kind",
    "solar_inverter.lifetime_production", "solar_inverter.measured_at", "solar_inverter.power_kw",
    "solar_inverter.rated_power_kw", "solar_inverter.recent_errors", "solar_inverter.recent_production",
    "solar_inverter.status", "solar_inverter.vendor_status", "solar_intervals", "battery_intervals",
    "site_solar_intervals", "site_battery_intervals",
})  # fmt: skip
