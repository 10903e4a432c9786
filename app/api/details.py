"""One site, solar inverter or battery, read from its vendor."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from app.api import api_version, context, detail_members
from app.api.context import RequestContext
from app.api.detail_members import FetchedRecord
from app.api.services import services
from app.fleet.inventory import Found
from app.web.strict_api import ViewResult
from vendors.kit import Battery, Key, Site, SolarInverter, Vendor
from vendors.kit.records import Keyed, Record, kind_of


def read_device(kind: type[SolarInverter] | type[Battery], id: str) -> ViewResult:
    """The members of a device."""

    def find(key: Key, vendor: Vendor) -> Iterator[Keyed]:
        device = vendor.solar_inverter(key) if kind is SolarInverter else vendor.battery(key)
        yield device

    outcome, now = _ask(kind, id, find, _context())
    record = next((record for record in outcome.records if isinstance(record, kind)), None)
    if record is None:
        raise outcome.problem()
    site_id = services().inventory.id_of(outcome.vendor, Site, record.site_key)
    return _result(outcome, record, now, lambda fetched: detail_members.device(fetched, id, site_id, now))


def read_site(id: str) -> ViewResult:
    """The members of a site, with its devices."""

    def find(key: Key, vendor: Vendor) -> Iterator[Keyed]:
        site = vendor.site(key)
        yield from vendor.devices(site.vendor_id)
        # Last: without the devices it would look like a site that has none.
        yield site

    request_context = _context()
    outcome, now = _ask(Site, id, find, request_context)
    site = next((record for record in outcome.records if isinstance(record, Site)), None)
    if site is None:
        raise outcome.problem()
    inventory = services().inventory
    inventory.remember(outcome.vendor, outcome.records, request_context.deadline)
    inverters, batteries = (
        sorted(
            inventory.id_of(outcome.vendor, kind, record.key) for record in outcome.records if kind_of(record) is kind
        )
        for kind in (SolarInverter, Battery)
    )
    return _result(outcome, site, now, lambda fetched: detail_members.site(fetched, id, inverters, batteries, now))


def _context() -> RequestContext:
    """The context, once the parameters are checked. Both versions have the same members."""
    api_version.requested()
    return context.of_request()


def _ask(
    kind: type[Record], id: str, find: Callable[[Key, Vendor], Iterator[Keyed]], request_context: RequestContext
) -> tuple[Found, datetime]:
    """The vendor's records, and the time at which they were complete."""
    outcome = services().inventory.ask_one(
        kind, id, request_context.access, request_context.deadline, request_context.mode, find
    )
    return outcome, datetime.now(UTC)


def _result(
    outcome: Found, record: Record, now: datetime, members: Callable[[FetchedRecord], dict[str, Any]]
) -> ViewResult:
    lag = services().clouds[outcome.vendor].vendor.lag
    fetched_at = now - timedelta(seconds=round(outcome.age))
    fetched = FetchedRecord(outcome.vendor, record, fetched_at, lag, outcome.errors, outcome.error_details)
    return members(fetched), 200, {"Age": str(round(outcome.age))}
