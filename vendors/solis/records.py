"""Solis' answers as sites, inverters and batteries, and their state."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from math import fsum
from typing import Any

from vendors.kit import (
    ANY,
    Battery,
    Bess,
    DeviceRow,
    Production,
    Shape,
    Site,
    SiteRow,
    SolarInverter,
    Status,
    day_start,
)
from vendors.kit.parsing.reading import (
    POWER_UNITS,
    Raw,
    charge_and_discharge,
    check_id,
    energy_kwh,
    epoch,
    number,
    offset_hours,
    optional_text,
    positive,
    power_kw,
    text,
    zone,
)
from vendors.solis.batteries import HINTS, has_battery

# Number of strings of solar modules that an answer has members for.
STRINGS = 32
# By `state`; state 2 also by `stateExceptionFlag`.
STATUSES = {"1": Status.NORMAL, "3": Status.WARNING}
ASLEEP = "0"
CHARGED, DISCHARGED = "batteryPowerZheng", "batteryPowerFu"

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


def site_now(site: Site, raw: Raw, now: datetime) -> Site:
    """The site with its state from `stationDetail`; only newer answers name its time zone and first day.

    Values with a time after now are not its present state.
    """
    time_zone = zone(raw, "timeZoneStandardId")
    has_battery_now = has_bess(raw)
    known = replace(
        site,
        timezone=time_zone.key if time_zone else None,
        operational_since=milliseconds(raw, "fisGenerateTime"),
        bess=Bess() if has_battery_now else None,
    )
    measured_at = milliseconds(raw, "dataTimestamp")
    if measured_at and measured_at > now:
        return known
    charge_kw, discharge_kw = flows_kw(raw) if has_battery_now else (None, None)
    return replace(
        known,
        bess=Bess(soc_percent=positive(raw, "batteryPercent")) if has_battery_now else None,
        power_kw=kw(raw, "power"),
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        measured_at=measured_at,
    )


def has_bess(raw: Raw) -> bool:
    """Whether a station has a charge, or power into or out of a battery: its counters stay when the battery is taken
    away."""
    return positive(raw, "batteryPercent") is not None or any(flows_kw(raw))


def check_ids(raws: Iterable[Any], member: str, id: str) -> None:
    """Raises WrongRecord if any of the rows names another id in that member."""
    for raw in raws:
        check_id(raw, member, id)


def inverters_clock(site: Site) -> timezone:
    """The clock by which the devices' days begin: the offset without daylight saving."""
    return timezone(timedelta(hours=site.utc_offset_hours or 0.0))


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


def inverter_now(inverter: SolarInverter, site: Site | None, raw: Raw, now: datetime) -> SolarInverter:
    """The inverter with its state from `inverterDetail`. AC power of a hybrid includes its battery's flow.

    Values with a time after now are not its present state.
    """
    measured_at = milliseconds(raw, "dataTimestamp")
    if measured_at is None:
        return inverter
    is_hybrid = has_battery(raw)
    status, word = to_status(raw)
    lifetime_kwh, since = energy_kwh(raw, "eTotal", "eTotalStr"), site.operational_since if site else None
    known = replace(
        inverter,
        kind="hybrid" if is_hybrid else "string",
        status=status,
        vendor_status=word,
        lifetime_production=None if lifetime_kwh is None else Production(lifetime_kwh, since),
    )
    if measured_at > now:
        return known
    power_kw = solar_kw(raw) if is_hybrid else kw(raw, "pac")
    today = production_today(site, raw, measured_at, now) if site else None
    return replace(known, power_kw=power_kw, measured_at=measured_at, recent_production=today)


def production_today(site: Site, raw: Raw, measured_at: datetime, now: datetime) -> Production | None:
    """`eToday` where it is of today: it is of the day of the newest value, and a device may have been silent since."""
    clock = inverters_clock(site)
    midnight = day_start(now.astimezone(clock).date(), clock)
    today_kwh = energy_kwh(raw, "eToday", "eTodayStr")
    return None if today_kwh is None or measured_at < midnight else Production(today_kwh, midnight)


def battery_now(battery: Battery, raw: Raw, now: datetime) -> Battery:
    """The battery with its state. Single answers have a charge of 0 % without a reason, so 0 is not read."""
    measured_at = milliseconds(raw, "dataTimestamp")
    if measured_at is None:
        return battery
    status, word = to_status(raw)
    known = replace(battery, status=status, vendor_status=word)
    if measured_at > now:
        return known
    charge_kw, discharge_kw = flows_kw(raw)
    return replace(
        known,
        soc_percent=positive(raw, "batteryCapacitySoc"),
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        measured_at=measured_at,
    )


def flows_kw(raw: Raw) -> tuple[float | None, float | None]:
    """Power into and out of a battery: two numbers in W, or a single number whose direction is that of the current."""
    charge_w, discharge_w = number(raw, CHARGED), number(raw, DISCHARGED)
    if charge_w is not None and discharge_w is not None:
        net_kw: float | None = (abs(charge_w) - abs(discharge_w)) / 1000
    else:
        size_kw, current = kw(raw, "batteryPower"), number(raw, "bstteryCurrent")
        is_charging = current is not None and current > 0
        net_kw = None if size_kw is None or current is None else abs(size_kw) * (1 if is_charging else -1)
    return charge_and_discharge(net_kw)


def solar_kw(raw: Raw) -> float | None:
    """Power of the strings, which have it in W."""
    watts = [value for index in range(1, STRINGS + 1) if (value := number(raw, f"pow{index}")) is not None]
    return fsum(watts) / 1000 if watts else None


def kw(raw: Raw, name: str) -> float | None:
    """A power of any sign, in the unit that the member `<name>Str` names."""
    value, factor = number(raw, name), POWER_UNITS.get((optional_text(raw, f"{name}Str") or "").upper())
    return None if value is None or factor is None else value * factor


def to_status(raw: Raw) -> tuple[Status | None, str | None]:
    """Status, and the platform's number for it."""
    word = optional_text(raw, "state")
    if word == "2":
        return (Status.SLEEPING if optional_text(raw, "stateExceptionFlag") == ASLEEP else Status.OFFLINE), word
    return (STATUSES.get(word, Status.UNKNOWN), word) if word else (None, None)


def milliseconds(raw: Raw, name: str) -> datetime | None:
    """A time in epoch milliseconds, mostly as text; "0" is never."""
    value = positive(raw, name)
    return None if value is None else epoch({name: value / 1000}, name)
