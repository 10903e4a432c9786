"""Fills a client of mode virtual with a plausible fleet, as `flask virtual seed` does."""

import time
from collections.abc import Iterator
from itertools import islice

from app.fleet.inventory import Inventory
from app.virtual import records
from app.virtual.fleet import VirtualFleet
from app.virtual.new import NewBattery, NewDevice, NewSite, NewSolarInverter
from app.virtual.plugin import VENDOR
from app.virtual.results import SiteWithDevices
from simulation.virtual import BatteryPlan, SitePlan, plausible_sites
from vendors.kit.deadline import Deadline

# Sites in one transaction, which takes less than a tenth of a second.
BATCH_SITES = 20
# A writer that waits for SQLite's lock looks every tenth of a second whether it is free.
PAUSE_SECONDS = 0.15
STORE_SECONDS = 5.0


def seed(
    fleet: VirtualFleet, inventory: Inventory, client_id: str, number_of_sites: int
) -> Iterator[list[SiteWithDevices]]:
    """Makes sites with devices, and yields those of each transaction, which stay also if a later one fails.

    Names that the client's sites have are left out, so that a second fleet continues the first. Raises a Problem: 409
    at a limit, 401 if the client is revoked.
    """
    names = {name for _, name in fleet.site_names(client_id)}
    plans = list(islice((plan for plan in plausible_sites() if plan.name not in names), number_of_sites))
    while plans:
        sites = fleet.create_sites(client_id, map(_new, plans[:BATCH_SITES]))
        _store_ids(inventory, sites)
        yield sites
        plans = plans[len(sites) :]
        if plans:
            time.sleep(PAUSE_SECONDS)


def _new(plan: SitePlan) -> tuple[NewSite, list[NewDevice]]:
    devices: list[NewDevice] = [NewSolarInverter(name=planned.name, model=planned.model) for planned in plan.inverters]
    if plan.battery is not None:
        devices.append(_new_battery(plan.battery))
    site = NewSite(plan.name, latitude=plan.latitude, longitude=plan.longitude, timezone=plan.timezone)
    return site, devices


def _new_battery(plan: BatteryPlan) -> NewBattery:
    return NewBattery(
        name=plan.name, nameplate_kwh=plan.nameplate_kwh, mode=plan.mode, soc_percent=plan.state_of_charge_percent
    )


def _store_ids(inventory: Inventory, sites: list[SiteWithDevices]) -> None:
    """Stores the ids, so that requests find each with one query."""
    rows = [records.site_row(site.row.id, site.row.name) for site in sites]
    rows += [records.device_row(device.id, site.row.id, device.kind) for site in sites for device in site.devices]
    inventory.add(VENDOR, rows, Deadline(STORE_SECONDS))
