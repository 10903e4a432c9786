"""Solis' lists as sites, inverters and batteries; whether a battery is connected to an inverter."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from vendors.kit import ANY, Battery, DeviceRow, Shape, Site, SiteRow, SolarInverter
from vendors.kit.parsing.reading import (
    Raw,
    check_id,
    epoch,
    flag,
    number,
    offset_hours,
    optional_text,
    positive,
    power_kw,
    text,
)

# Counters of a battery, which stay when it is taken away.
COUNTERS = ("batteryTotalChargeEnergy", "batteryTotalDischargeEnergy")
# Members that show whether there is a battery.
HINTS = (
    *COUNTERS, "batteryNum", "batteryList", "batteryType", "batteryTypeName", "batteryCapacitySoc", "batteryVoltage",
    "energyStorageControl",
)  # fmt: skip
# Two firmwares report in one or both of these members that there is no battery, with and without a blank.
NO_BATTERY = "nobattery"
TYPES = ("batteryType", "batteryTypeName")
INVERTER = ("id", "stationId", "sn", "machine", "productModel", "model", "name", "power", "powerStr", *HINTS)
STATION = ("id", "stationName", "timeZone", "capacity", "capacityStr")


def page_of(row: tuple[str, ...]) -> Shape:
    """Projection of a page of a list; `code` and `msg` tell a page from an error."""
    return Shape({"code": ANY, "msg": ANY, "data": {"page": {"pages": ANY, "records": [row]}}})


STATIONS, INVERTERS = page_of(STATION), page_of(INVERTER)


def to_site(raw: Raw) -> SiteRow:
    """Site from one entry of `userStationList`, which has an offset without daylight saving and no time zone."""
    return Site.listed(text(raw, "id"), of_site, raw)


def of_site(raw: Raw) -> dict[str, Any]:
    return {
        "name": optional_text(raw, "stationName") or text(raw, "id"),
        "utc_offset_hours": offset_hours(raw, "timeZone"),
        "peak_power_kw": power_kw(raw, "capacity", "capacityStr"),
    }


def check_ids(raws: Iterable[Any], member: str, id: str) -> None:
    """Raises WrongRecord if any of the rows names another id in that member."""
    for raw in raws:
        check_id(raw, member, id)


def to_devices(raw: Raw) -> list[DeviceRow]:
    """The inverter of an entry, and its battery if it is a hybrid; both have the inverter's serial number."""
    inverter = text(raw, "id")
    station = text(raw, "stationId")
    solar_inverter = SolarInverter.listed((inverter,), inverter, station, of_inverter, raw)
    if not has_battery(raw):
        return [solar_inverter]
    return [solar_inverter, Battery.listed((inverter,), inverter, station, of_battery, raw)]


def of_inverter(raw: Raw) -> dict[str, Any]:
    model = optional_text(raw, "machine") or optional_text(raw, "productModel") or optional_text(raw, "model")
    return {
        "serial_number": optional_text(raw, "sn") or "",
        "model": model or "",
        "name": optional_text(raw, "name"),
        "rated_power_kw": power_kw(raw, "power", "powerStr"),
    }


def of_battery(raw: Raw) -> dict[str, Any]:
    return {"serial_number": optional_text(raw, "sn") or ""}


def milliseconds(raw: Raw, name: str) -> datetime | None:
    """A time in epoch milliseconds, mostly as text; "0" is never."""
    value = positive(raw, name)
    return None if value is None else epoch({name: value / 1000}, name)


def has_battery(raw: Raw) -> bool:
    """Whether a battery is connected to this inverter, as far as the answer tells."""
    return not reports_no_battery(raw) and (has_counted(raw) or shows_battery(raw))


def is_in_doubt(raw: Raw) -> bool:
    """Whether only the counters show a battery, which may have been taken away; the inverter's detail tells."""
    is_charged = above_0(raw, "batteryCapacitySoc")
    return has_counted(raw) and not is_charged and not reports_no_battery(raw) and not shows_battery(raw)


def reports_no_battery(raw: Raw) -> bool:
    """Whether the inverter reports that it has no battery: all its places for batteries are empty, or else its own
    battery type tells."""
    listed = raw.get("batteryList")
    places = [place for place in listed if isinstance(place, Mapping)] if isinstance(listed, list) else []
    empty = [flag(place, "noBattery") is True or names_no_battery(place) for place in places]
    return all(empty) if any(empty) else names_no_battery(raw)


def names_no_battery(raw: Raw) -> bool:
    return any((optional_text(raw, name) or "").lower().replace(" ", "") == NO_BATTERY for name in TYPES)


def has_counted(raw: Raw) -> bool:
    """Whether a battery has ever been charged or discharged."""
    return any(above_0(raw, name) for name in COUNTERS)


def shows_battery(raw: Raw) -> bool:
    """Whether the inverter names or measures a battery."""
    return (
        above_0(raw, "batteryNum")
        or bool(raw.get("batteryList"))
        or (above_0(raw, "batteryCapacitySoc") and above_0(raw, "batteryVoltage"))
        or raw.get("energyStorageControl", "0") not in ("0", 0, "", None)
    )


def above_0(raw: Raw, name: str) -> bool:
    return (number(raw, name) or 0) > 0
