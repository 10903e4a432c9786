"""GET /solar-inverters and GET /solar-inverters/{id}."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Response, current_app, g, jsonify, request

from app import access, inventory, paging, schemas, versions
from app.access import Access
from app.errors import invalid
from app.inventory import Filters, Inventory, Listing
from app.log import conceal
from app.routing import Blueprint, base_url
from vendors.kit import Deadline, Mode, SolarInverter

PATH = "/solar-inverters"
# No cloud stands behind it: the name of the devices that virtual clients make.
VIRTUAL = "virtual"

blueprint = Blueprint("Solar inverters", __name__, description="Solar inverters of all vendors.")


@blueprint.get(PATH, parameters=[versions.PARAMETER])
@blueprint.arguments(schemas.ListQuery, location="query")
@blueprint.response(200, {"oneOf": [schemas.SolarInverterUrls, schemas.SolarInverterSummaries]})
def list_solar_inverters(query: dict[str, Any]) -> Response:
    """Lists the solar inverters of all vendors whose credentials come with the request."""
    version = versions.requested()
    filters = Filters(query.get("vendor"), query.get("vendor_site_id"), query.get("vendor_id"))
    _check(filters, query, version)
    listing = _inventory().listing(SolarInverter, _access(), filters, _deadline(), _mode())
    answer = jsonify(_urls(listing) if version == versions.V1 else _page(listing, filters, query))
    answer.headers["Age"] = str(round(listing.age))
    return answer


@blueprint.get(PATH + "/<id>", parameters=[versions.PARAMETER])
@blueprint.response(200, schemas.SolarInverterSchema)
def get_solar_inverter(id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Reads one solar inverter from its vendor."""
    versions.requested()
    vendor, record, age = _inventory().solar_inverter(id, _access(), _deadline(), _mode())
    answer = {
        "id": id,
        "vendor": vendor,
        "vendor_id": record.vendor_id,
        "model": record.model,
        "serial_number": record.serial_number,
        "site_id": _inventory().site_id(vendor, record),
        "reported_at": datetime.now(UTC),
    }
    if record.name is not None:
        answer["name"] = record.name
    return answer, 200, {"Age": str(round(age))}


def _inventory() -> Inventory:
    inventory: Inventory = current_app.extensions["inventory"]
    return inventory


def _deadline() -> Deadline:
    return Deadline(current_app.config["SETTINGS"].request_deadline)


def _mode() -> Mode:
    return Mode.REFRESH if request.cache_control.no_cache else Mode.REUSE


def _access() -> Access:
    """The vendors of this request; none for a virtual client, whose devices have no vendor behind them."""
    if g.client.mode == VIRTUAL:
        return Access()
    clouds = current_app.extensions["clouds"]
    found = access.read(request.headers, clouds)
    if not found:
        raise inventory.no_access(clouds)
    for credential in found.credentials.values():
        conceal(*credential.secrets)
    return found


def _check(filters: Filters, query: dict[str, Any], version: str) -> None:
    known = [*current_app.extensions["clouds"], VIRTUAL]
    if filters.vendor is not None and filters.vendor not in known:
        raise invalid(f"vendor: This server knows {', '.join(known)}.")
    if version == versions.V1:
        for name, sent in (("pageSize", "page_size"), ("pageToken", "page_token")):
            if sent in query:
                raise invalid(f"{name}: Version v1 has no pages; send {versions.HEADER}: {versions.V2024_09_01}.")


def _urls(listing: Listing) -> Any:
    base = f"{base_url()}{PATH}/"
    urls = [base + id for id in listing.ids]
    return schemas.SolarInverterUrls().dump({"urls": urls, "errors": _errors(listing)})


def _errors(listing: Listing) -> dict[str, str]:
    return {vendor: outcome.error for vendor, outcome in listing.failures.items()}


def _given(filters: Filters) -> list[tuple[str, str]]:
    return [(name, value) for name, value in asdict(filters).items() if value is not None]


def _page(listing: Listing, filters: Filters, query: dict[str, Any]) -> Any:
    pages: paging.Pages = current_app.extensions["pages"]
    belongs = (g.client.id, PATH, *(f"{name}={value}" for name, value in _given(filters)))
    size = query.get("page_size", paging.DEFAULT_SIZE)
    ids, next_page_token = pages.cut(listing.ids, belongs, size, query.get("page_token"))
    page = {"summaries": [{"id": id} for id in ids], "errors": _errors(listing)}
    if next_page_token:
        page["next_page_token"] = next_page_token
    if listing.failures:
        page["error_details"] = {
            vendor: inventory.describe(outcome.failure)
            for vendor, outcome in listing.failures.items()
            if outcome.failure
        }
    return schemas.SolarInverterSummaries().dump(page)
