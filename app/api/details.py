"""One site, solar inverter or battery, read from its vendor."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app

from app.api import api_version, context, detail_members
from app.api.detail_members import Read
from app.fleet.inventory import Found
from vendors.kit import Battery, Key, Site, SolarInverter, Vendor
from vendors.kit.deadline import Deadline
from vendors.kit.records import Keyed, Record

Answer = tuple[dict[str, Any], int, dict[str, str]]


def answer_device(kind: type[SolarInverter] | type[Battery], id: str) -> Answer:
    """The members of a device."""

    def find(key: Key, vendor: Vendor) -> Iterator[Keyed]:
        device = vendor.solar_inverter(key) if kind is SolarInverter else vendor.battery(key)
        yield device.whole()

    found, now = _ask(kind, id, find, context.deadline())
    record = next((one for one in found.records if isinstance(one, kind)), None)
    if record is None:
        raise found.problem()
    site_id = context.the_inventory().id_of(found.vendor, Site, record.site_key)
    return _answer(found, record, now, lambda read: detail_members.device(read, id, site_id, now))


def answer_site(id: str) -> Answer:
    """The members of a site, with its devices."""

    def find(key: Key, vendor: Vendor) -> Iterator[Keyed]:
        site = vendor.site(key)
        yield from vendor.devices(site.vendor_id)
        # Last: without the devices it would look like a site that has none.
        yield site.whole()

    deadline = context.deadline()
    found, now = _ask(Site, id, find, deadline)
    record = next((one for one in found.records if isinstance(one, Site)), None)
    if record is None:
        raise found.problem()
    inventory = context.the_inventory()
    inventory.remember(found.vendor, found.records, deadline)
    inverters, batteries = (
        sorted(inventory.id_of(found.vendor, kind, one.key) for one in found.records if isinstance(one, kind))
        for kind in (SolarInverter, Battery)
    )
    return _answer(found, record, now, lambda read: detail_members.site(read, id, inverters, batteries, now))


def _ask(
    kind: type[Record], id: str, find: Callable[[Key, Vendor], Iterator[Keyed]], deadline: Deadline
) -> tuple[Found, datetime]:
    api_version.requested()
    found = context.the_inventory().ask_one(kind, id, context.vendors(), deadline, context.mode(), find)
    return found, datetime.now(UTC)


def _answer(found: Found, record: Record, now: datetime, to: Callable[[Read], dict[str, Any]]) -> Answer:
    lag = current_app.extensions["clouds"][found.vendor].vendor.lag
    fetched_at = now - timedelta(seconds=round(found.age))
    read = Read(found.vendor, record, fetched_at, lag, found.errors, found.error_details)
    return to(read), 200, {"Age": str(round(found.age))}
