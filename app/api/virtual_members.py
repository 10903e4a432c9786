"""JSON members of virtual sites and devices under /virtual/: what they were made with, and posted values as posted."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.api import detail_members
from app.api.detail_members import FetchedRecord
from app.api.services import services
from app.storage.virtual_tables import BATTERY, SOLAR_INVERTER
from app.virtual import records
from app.virtual.plugin import VENDOR
from app.virtual.results import DeviceAtSite, ListedSite, SiteWithDevices
from vendors.kit import Site
from vendors.kit.records import Record


def of_site(site: SiteWithDevices | ListedSite) -> dict[str, Any]:
    """The members of a site."""
    now = datetime.now(UTC)
    ids: dict[str, list[str]] = {SOLAR_INVERTER: [], BATTERY: []}
    for device in site.devices:
        ids[device.kind].append(id_of(records.KINDS[device.kind], device.id))
    inverters, batteries = sorted(ids[SOLAR_INVERTER]), sorted(ids[BATTERY])
    fetched = _fetched(records.site_record(site), now)
    return detail_members.site(fetched, id_of(Site, site.row.id), inverters, batteries, now)


def of_device(device: DeviceAtSite) -> dict[str, Any]:
    """The members of a device."""
    now, row = datetime.now(UTC), device.row
    convert = records.inverter_record if row.kind == SOLAR_INVERTER else records.battery_record
    site_id, id = id_of(Site, row.site_id), id_of(records.KINDS[row.kind], row.id)
    members = detail_members.device(_fetched(convert(device), now), id, site_id, now)
    return members | {"reported_at": row.reported_at or now}


def id_of(kind: type[Record], key: str) -> str:
    """The public id of a virtual site or device."""
    return services().inventory.id_of(VENDOR, kind, (key,))


def _fetched(record: Record, now: datetime) -> FetchedRecord:
    return FetchedRecord(VENDOR, record, now, timedelta(0), {}, {})
