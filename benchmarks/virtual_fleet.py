"""A client of mode virtual with a large fleet: 1,000 sites in five time zones, and 5,000 devices."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from app import create_app
from app.config import Settings
from app.fleet.ids import TAGS
from app.fleet.inventory import Inventory
from app.storage.database import IdTableRow
from app.storage.virtual_tables import SOLAR_INVERTER, VirtualDeviceRow, VirtualSiteRow
from app.virtual import records
from app.virtual.new import NewBattery, NewSite, NewSolarInverter
from app.virtual.plugin import VENDOR
from simulation.virtual import SitePlan, plausible_fleet
from vendors.kit import Site
from vendors.kit.records import Record

SITES, DEVICES_PER_SITE = 1_000, 5


@dataclass(frozen=True)
class FilledClient:
    """The id and secret of a client, and the sizes of its fleet."""

    auth: tuple[str, str]
    sites: int
    inverters: int
    batteries: int


def fill(settings: Settings, sites: int = SITES) -> FilledClient:
    """Makes a client, its fleet, and the ids of that, as they are after each site and device was posted."""
    app = create_app(settings)
    services = app.extensions["services"]
    auth = services.clients.create("bench", "virtual", "v2024-09-01")
    site_rows: list[VirtualSiteRow] = []
    devices: list[VirtualDeviceRow] = []
    for plan in plausible_fleet(sites):
        new = NewSite(plan.name, plan.latitude, plan.longitude, plan.timezone)
        site_rows.append(new.row(auth[0], len(site_rows) + 1, made_for_device=False))
        devices += _devices(plan, site_rows[-1], datetime.now(UTC))
    with services.database.session() as session:
        session.add_all(site_rows)
        session.flush()
        session.add_all(devices)
        keys: list[tuple[type[Record], str]] = [(Site, row.id) for row in site_rows]
        keys += [(records.KINDS[row.kind], row.id) for row in devices]
        session.add_all(_id_row(services.inventory, kind, key) for kind, key in keys)
    services.close()
    inverters = sum(device.kind == SOLAR_INVERTER for device in devices)
    return FilledClient(auth, len(site_rows), inverters, len(devices) - inverters)


def _id_row(inventory: Inventory, kind: type[Record], key: str) -> IdTableRow:
    return IdTableRow(id=inventory.id_of(VENDOR, kind, (key,)), vendor=VENDOR, kind=TAGS[kind], key=[key])


def _devices(plan: SitePlan, site: VirtualSiteRow, now: datetime) -> Iterator[VirtualDeviceRow]:
    """The planned battery, if there is one, and inverters: as many as planned, and more up to DEVICES_PER_SITE."""
    client_id, number = site.client_id, 0
    if plan.battery:
        battery = NewBattery(
            name=plan.battery.name,
            nameplate_kwh=plan.battery.nameplate_kwh,
            mode=plan.battery.mode,
            soc_percent=plan.battery.state_of_charge_percent,
        )
        number += 1
        yield battery.row(client_id, site.id, number, now)
    while number < DEVICES_PER_SITE:
        number += 1
        model = plan.inverters[number % len(plan.inverters)].model
        yield NewSolarInverter(model=model).row(client_id, site.id, number, now)
