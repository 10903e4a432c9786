"""Rows of virtual sites and devices as the kit's records, with what they were made with."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.storage.virtual_tables import BATTERY, SOLAR_INVERTER, VirtualDeviceRow, VirtualSiteRow
from app.virtual.physics import solar_array, storage_unit
from app.virtual.results import DeviceAtSite, ListedDevice, ListedSite, SiteWithDevices
from vendors.kit import Battery, Bess, ListRow, Production, Site, SolarInverter

KINDS: Mapping[str, type[SolarInverter] | type[Battery]] = {SOLAR_INVERTER: SolarInverter, BATTERY: Battery}


def site_row(id: str, name: str) -> ListRow[Site]:
    """A row of the list of sites."""
    return Site.listed(id, _named, name)


def device_row(id: str, site_id: str, kind: str) -> ListRow[Any]:
    """A row of the list of devices, which holds the ids alone."""
    return KINDS[kind].listed((id,), id, site_id, _nothing, None)


def _named(raw: Any) -> Mapping[str, Any]:
    return {"name": raw}


def _nothing(raw: Any) -> Mapping[str, Any]:
    return {}


def site_record(site: SiteWithDevices | ListedSite) -> Site:
    """The site without present values."""
    row = site.row
    return Site(
        key=(row.id,),
        vendor_id=row.id,
        name=row.name,
        timezone=row.timezone,
        latitude=row.latitude,
        longitude=row.longitude,
        operational_since=row.operational_since,
        bess=_bess([device for device in site.devices if device.kind == BATTERY]),
    )


def inverter_record(device: DeviceAtSite) -> SolarInverter:
    """The solar inverter with the productions that were posted."""
    row = device.row
    return SolarInverter(
        **_identity(row, device.site),
        rated_power_kw=solar_array(row, device.site).rated_power_kw,
        kind="string",
        recent_production=None if row.recent_kwh is None else Production(row.recent_kwh, row.recent_start),
        lifetime_production=None if row.lifetime_kwh is None else Production(row.lifetime_kwh, row.lifetime_start),
    )


def battery_record(device: DeviceAtSite) -> Battery:
    """The battery with the state of charge that was posted."""
    row = device.row
    return Battery(
        **_identity(row, device.site),
        rated_power_kw=storage_unit(row, device.site).rated_kw,
        nameplate_kwh=row.nameplate_kwh,
        mode=row.mode,
        soc_percent=row.soc_percent,
    )


def _identity(row: VirtualDeviceRow, site: VirtualSiteRow) -> dict[str, Any]:
    return {
        "key": (row.id,),
        "vendor_id": row.id,
        "site_key": (site.id,),
        "vendor_site_id": site.id,
        "serial_number": row.serial_number,
        "model": row.model,
        "name": row.name,
    }


def _bess(batteries: Sequence[VirtualDeviceRow | ListedDevice]) -> Bess | None:
    """All batteries together; the mode only if all have the same."""
    if not batteries:
        return None
    modes = {battery.mode for battery in batteries}
    nameplate_kwh = sum(battery.nameplate_kwh or 0.0 for battery in batteries)
    return Bess(nameplate_kwh, modes.pop() if len(modes) == 1 else None)
