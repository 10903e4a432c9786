"""A station in lists and details: the sums of its inverters, in the members that the platform has for it."""

from datetime import UTC
from typing import Any

from sandbox.solis.constants import TOGETHER_SECONDS
from sandbox.solis.inverters import Inverter, Station, standard_offset
from sandbox.solis.records import clock_offset, energy, lacks_name, milliseconds, power
from sandbox.times import day_start, local, period_start


def listed(seen: Station, now: float) -> dict[str, Any]:
    """A station as `userStationList` gives it: the sums of its inverters."""
    lasts = [(unit, unit.last_stamp(now)) for unit in seen.units]
    reported = [(unit, last) for unit, last in lasts if last is not None]
    online = sum(unit.is_online(now) for unit in seen.units)
    return {
        **_identity(seen),
        **_production(reported),
        **_battery(reported),
        "state": 1 if online else 2,
        "inverterOnlineCount": online,
        "alarmCount": 0,
        "dataTimestamp": milliseconds(max((t for _, t in reported), default=None)),
    }


def _identity(seen: Station) -> dict[str, Any]:
    """The members that a station keeps; some have no name."""
    offset = standard_offset(seen.site).total_seconds()
    identity: dict[str, Any] = {
        "id": seen.site_id,
        "addr": "",
        "countryStr": "",
        "regionStr": "",
        "cityStr": seen.site.place.name,
        "capacity": seen.site.pv_kwp,
        "capacityStr": "kWp",
        "stationTypeNew": 1 if seen.batteries else 0,
        "timeZone": offset / 3600,
        "timeZoneStr": f"({clock_offset(offset)})",
        "inverterCount": len(seen.units),
        "createDate": int(seen.site.operational_since.timestamp()) * 1000,
        "batteryCapacityEnergy": 0,
    }
    return identity | ({} if lacks_name(seen.site.number) else {"stationName": seen.site.name})


def _production(reported: list[tuple[Inverter, float]]) -> dict[str, Any]:
    total = sum(unit.lifetime_kwh("pv", t) for unit, t in reported)
    oldest = max((t for _, t in reported), default=0.0) - TOGETHER_SECONDS
    return {
        **power("power", sum(unit.watts("pv", t) for unit, t in reported if t >= oldest)),
        **energy("dayEnergy", sum(unit.kwh("pv", unit.midnight(t), t) for unit, t in reported)),
        **energy("monthEnergy", _since_begin_of("month", reported)),
        **energy("yearEnergy", _since_begin_of("year", reported)),
        **energy("allEnergy", total),
        "allEnergy1": float(int(total)),
    }


def _since_begin_of(span: str, reported: list[tuple[Inverter, float]]) -> float:
    firsts = [(unit, t, period_start(local(t, unit.zone).date(), span)) for unit, t in reported]
    return sum(unit.kwh("pv", day_start(first, unit.zone), t) for unit, t, first in firsts)


def _battery(reported: list[tuple[Inverter, float]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for quantity, word in (("charge", "Charge"), ("discharge", "Discharge")):
        today = sum(unit.kwh(quantity, unit.midnight(t), t) for unit, t in reported)
        total = sum(unit.lifetime_kwh(quantity, t) for unit, t in reported)
        members |= {f"batteryToday{word}Energy": round(today, 1), f"batteryTotal{word}Energy": round(total, 1)}
    return members


def detailed(seen: Station, now: float) -> dict[str, Any]:
    """A station as `stationDetail` gives it: the newer form, with the zone's name and the first day of production."""
    zone = seen.site.place.timezone
    offset = clock_offset(standard_offset(seen.site).total_seconds())
    began = seen.site.operational_since
    hybrids = [(unit, unit.last_stamp(now) or unit.begun) for unit in seen.units if unit.battery]
    charge = sum(unit.watts("charge", t) for unit, t in hybrids)
    discharge = sum(unit.watts("discharge", t) for unit, t in hybrids)
    return {
        **listed(seen, now),
        "timeZoneName": f"({offset}){zone}",
        "timeZoneStandardId": zone,
        "fisGenerateTime": int(began.timestamp()) * 1000,
        "fisGenerateTimeStr": f"{began.astimezone(UTC):%Y-%m-%d %H:%M:%S} (UTC+00:00)",
        **power("batteryPower", charge - discharge),
        **dict.fromkeys(("powerPec", "batteryPowerPec", "psumPec"), "1"),
        "batteryPowerZheng": round(charge, 1),
        "batteryPowerFu": round(discharge, 1),
        "batteryPercent": max((unit.soc(t) for unit, t in hybrids), default=0),
        "psum": 0.0,
        "psumStr": "kW",
        "familyLoadPower": 0.0,
        "familyLoadPowerStr": "kW",
    }
