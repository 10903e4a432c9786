"""The simulated arrays and batteries behind virtual devices, and their present values."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from threading import Lock
from zoneinfo import ZoneInfo

from cachetools import LRUCache, cached

from app.storage.virtual_tables import VirtualControlEventRow, VirtualDeviceRow, VirtualSiteRow
from app.virtual.control_events import commands_of
from app.virtual.results import DeviceAtSite
from simulation.commanded import CACHED_PHASES, PHASE_BYTES
from simulation.commands import BatteryCommand
from simulation.virtual import SolarArray, StorageUnit
from vendors.kit import Battery, Bess, Production, Site, SolarInverter, Status, day_start

# Of an array or a battery with its key, at most: 5 MB for each kind. Their days and years are in caches of the
# simulation.
DEVICE_BYTES = 1_500
CACHED_DEVICES = 5_000_000 // DEVICE_BYTES
# Of a phase with or without a command, at most; 8 MB for the batteries that were commanded.
COMMAND_BYTES = 600
COMMANDED_BYTES = 8_000_000


def solar_array(device: VirtualDeviceRow, site: VirtualSiteRow) -> SolarArray:
    """The array of a solar inverter. It depends on the device's id and the place alone."""
    return _solar_array(device.id, site.latitude, site.longitude)


def storage_unit(
    device: VirtualDeviceRow, site: VirtualSiteRow, events: Iterable[VirtualControlEventRow] = ()
) -> StorageUnit:
    """The simulated battery, as it obeys the site's events. The state of charge that was posted is its floor."""
    nameplate_kwh, mode, floor_percent = device.nameplate_kwh, device.mode, device.soc_percent
    if nameplate_kwh is None or mode is None or floor_percent is None:
        raise ValueError(f"the battery {device.id} has no nameplate, mode or state of charge")
    unit = _storage_unit(
        device.id, nameplate_kwh, mode, site.latitude, site.longitude, ZoneInfo(site.timezone), floor_percent
    )
    commands = commands_of(events, device.id)
    return _commanded(unit, commands) if commands else unit


_solar_array = lru_cache(CACHED_DEVICES)(SolarArray)
_storage_unit = lru_cache(CACHED_DEVICES)(StorageUnit)


def _bytes_of(unit: StorageUnit) -> int:
    """The most that a commanded battery takes."""
    phases = len(unit.commanded.phases) if unit.commanded else 0
    return phases * COMMAND_BYTES + min(phases, CACHED_PHASES) * PHASE_BYTES


@cached(LRUCache(COMMANDED_BYTES, getsizeof=_bytes_of), lock=Lock())
def _commanded(unit: StorageUnit, commands: tuple[BatteryCommand, ...]) -> StorageUnit:
    return unit.with_commands(commands)


def inverter_now(record: SolarInverter, device: DeviceAtSite, now: datetime) -> SolarInverter:
    """The solar inverter with its present values. What was produced before it was made is posted, or simulated."""
    row, site = device.row, device.site
    array, since, zone = solar_array(row, site), site.operational_since, ZoneInfo(site.timezone)
    midnight = max(day_start(now.astimezone(zone).date(), zone), since)
    lifetime = Production(_produced(array, since, now), since)
    if row.lifetime_kwh is not None:
        lifetime = Production(row.lifetime_kwh + _produced(array, row.created_at, now), row.lifetime_start)
    power_kw = array.power_kw(now.timestamp())
    return replace(
        record,
        power_kw=power_kw,
        measured_at=now,
        status=Status.PRODUCING if power_kw > 0 else Status.SLEEPING,
        recent_production=Production(_produced(array, midnight, now), midnight),
        lifetime_production=lifetime,
    )


def battery_now(record: Battery, device: DeviceAtSite, now: datetime) -> Battery:
    """The battery with its present values."""
    unit = storage_unit(device.row, device.site, device.events)
    power = unit.power_kw(now.timestamp())
    return replace(
        record,
        charge_kw=power.charge_kw,
        discharge_kw=power.discharge_kw,
        measured_at=now,
        status=Status.NORMAL,
        soc_percent=unit.soc_percent(now.timestamp()),
    )


def site_now(record: Site, arrays: Iterable[SolarArray], units: Iterable[StorageUnit], now: datetime) -> Site:
    """The site with its present values: the sums over its devices. Without devices of a kind it has no such value."""
    at = now.timestamp()
    solar = [array.power_kw(at) for array in arrays]
    storage = [(unit.power_kw(at), unit) for unit in units]
    powers = [power for power, _ in storage]
    return replace(
        record,
        power_kw=sum(solar) if solar else None,
        charge_kw=sum(power.charge_kw for power in powers) if powers else None,
        discharge_kw=sum(power.discharge_kw for power in powers) if powers else None,
        measured_at=now,
        bess=record.bess and _charged(record.bess, [unit for _, unit in storage], at),
    )


def _charged(bess: Bess, units: list[StorageUnit], at: float) -> Bess:
    """All batteries together, with their mean state of charge, weighted by their nameplates."""
    weighted = sum(unit.nameplate_kwh * unit.soc_percent(at) for unit in units)
    return replace(bess, soc_percent=weighted / sum(unit.nameplate_kwh for unit in units))


def _produced(array: SolarArray, start: datetime, end: datetime) -> float:
    """Energy from start to end; 0 if the end comes first, as on a clock that was set back."""
    return array.energy_kwh(start.timestamp(), end.timestamp()) if start < end else 0.0
