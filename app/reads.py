"""One site, solar inverter or battery, read from its vendor."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app

from app import asked, details, versions
from app.details import Read
from app.inventory import Found
from vendors.kit import Battery, Deadline, Key, Keyed, Record, Site, SolarInverter, Vendor

Answer = tuple[dict[str, Any], int, dict[str, str]]


def answer_device(kind: type[SolarInverter] | type[Battery], id: str) -> Answer:
    """The members of a device."""

    def find(key: Key, vendor: Vendor) -> Iterator[Keyed]:
        device = vendor.solar_inverter(key) if kind is SolarInverter else vendor.battery(key)
        yield device.whole()

    found, now = _ask(kind, id, find, asked.deadline())
    record = next((one for one in found.records if isinstance(one, kind)), None)
    if record is None:
        raise found.problem()
    site_id = asked.the_inventory().id_of(found.vendor, Site, record.site_key)
    return _answer(found, record, now, lambda read: details.device(read, id, site_id, now))


def answer_site(id: str) -> Answer:
    """The members of a site, with its devices."""

    def find(key: Key, vendor: Vendor) -> Iterator[Keyed]:
        site = vendor.site(key)
        yield from vendor.devices(site.vendor_id)
        # Last: without the devices it would look like a site that has none.
        yield site.whole()

    deadline = asked.deadline()
    found, now = _ask(Site, id, find, deadline)
    record = next((one for one in found.records if isinstance(one, Site)), None)
    if record is None:
        raise found.problem()
    inventory = asked.the_inventory()
    inventory.remember(found.vendor, found.records, deadline)
    inverters, batteries = (
        sorted(inventory.id_of(found.vendor, kind, one.key) for one in found.records if isinstance(one, kind))
        for kind in (SolarInverter, Battery)
    )
    return _answer(found, record, now, lambda read: details.site(read, id, inverters, batteries, now))


def _ask(
    kind: type[Record], id: str, find: Callable[[Key, Vendor], Iterator[Keyed]], deadline: Deadline
) -> tuple[Found, datetime]:
    versions.requested()
    found = asked.the_inventory().ask_one(kind, id, asked.vendors(), deadline, asked.mode(), find)
    return found, datetime.now(UTC)


def _answer(found: Found, record: Record, now: datetime, to: Callable[[Read], dict[str, Any]]) -> Answer:
    lag = current_app.extensions["clouds"][found.vendor].vendor.lag
    fetched_at = now - timedelta(seconds=round(found.age))
    read = Read(found.vendor, record, fetched_at, lag, found.errors, found.error_details)
    return to(read), 200, {"Age": str(round(found.age))}
