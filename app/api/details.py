"""One site, solar inverter or battery, read from its vendor."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from app.api import api_version, context, detail_members
from app.api.context import RequestContext
from app.api.detail_members import FetchedRecord
from app.api.services import services
from app.fleet.reading import ReadResult
from app.web.strict_api import ViewResult
from vendors.kit import Battery, Key, Site, SolarInverter, Vendor
from vendors.kit.records import Keyed, Record, kind_of


def read_device(kind: type[SolarInverter] | type[Battery], id: str) -> ViewResult:
    """The members of a device."""

    def find(key: Key, vendor: Vendor) -> Iterator[Keyed]:
        device = vendor.solar_inverter(key) if kind is SolarInverter else vendor.battery(key)
        yield device

    result, now = _read(kind, id, find, _context())
    record = next((record for record in result.records if isinstance(record, kind)), None)
    if record is None:
        raise result.problem()
    site_id = services().inventory.id_of(result.vendor, Site, record.site_key)
    return _result(result, record, now, lambda fetched: detail_members.device(fetched, id, site_id, now))


def read_site(id: str) -> ViewResult:
    """The members of a site, with its devices."""

    def find(key: Key, vendor: Vendor) -> Iterator[Keyed]:
        site = vendor.site(key)
        yield from vendor.devices(site.vendor_id)
        # Last: without the devices it would look like a site that has none.
        yield site

    request_context = _context()
    result, now = _read(Site, id, find, request_context)
    site = next((record for record in result.records if isinstance(record, Site)), None)
    if site is None:
        raise result.problem()
    inventory = services().inventory
    inventory.remember(result.vendor, result.records, request_context.deadline)
    inverters, batteries = (
        sorted(inventory.id_of(result.vendor, kind, record.key) for record in result.records if kind_of(record) is kind)
        for kind in (SolarInverter, Battery)
    )
    return _result(result, site, now, lambda fetched: detail_members.site(fetched, id, inverters, batteries, now))


def _context() -> RequestContext:
    """The context, once the parameters are checked. Both versions have the same members."""
    api_version.requested()
    return context.of_request()


def _read(
    kind: type[Record], id: str, find: Callable[[Key, Vendor], Iterator[Keyed]], request_context: RequestContext
) -> tuple[ReadResult, datetime]:
    """The vendor's records, and the time at which they were complete."""
    result = services().inventory.read(
        kind, id, request_context.access, request_context.deadline, request_context.mode, find, expected=kind
    )
    return result, datetime.now(UTC)


def _result(
    result: ReadResult, record: Record, now: datetime, members: Callable[[FetchedRecord], dict[str, Any]]
) -> ViewResult:
    fetched_at = now - timedelta(seconds=round(result.age))
    fetched = FetchedRecord(result.vendor, record, fetched_at, result.lag, result.errors, result.error_details)
    return members(fetched), 200, {"Age": str(round(result.age))}
