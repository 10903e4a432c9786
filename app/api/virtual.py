"""/virtual/...: clients of mode virtual make, list, read and delete their virtual sites and devices.

The responses show what a site or device was made with. Its present values and intervals are under /sites,
/solar-inverters and /batteries, like those of any vendor. The representation is the same in every API version.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import marshmallow as ma
from flask import Response

from app.api import api_version, context, row_pages, virtual_members
from app.api.context import RequestContext
from app.api.schemas.details import BatterySchema, SiteSchema, SolarInverterSchema
from app.api.schemas.lists import PageQuery
from app.api.schemas.virtual import (
    CreateVirtualBatteryRequest,
    CreateVirtualSiteRequest,
    CreateVirtualSolarInverterRequest,
    VirtualBatteries,
    VirtualSites,
    VirtualSolarInverters,
)
from app.api.services import services
from app.auth import bearer
from app.auth.clients import VIRTUAL
from app.auth.scopes import Scope, needs
from app.fleet.vendor_problems import unknown_id
from app.storage.virtual_tables import BATTERY, SOLAR_INVERTER
from app.virtual import records
from app.virtual.fleet import unknown_site
from app.virtual.new import NewDevice, NewSite
from app.virtual.plugin import VENDOR
from app.virtual.results import Deleted, DeviceAtSite
from app.web.problems import Problem
from app.web.strict_api import Blueprint
from vendors.kit import Battery, ListRow, Site, SolarInverter
from vendors.kit.records import Record

T = TypeVar("T")

SITES = "/virtual/sites"
OPTIONS: dict[str, Any] = {"parameters": [api_version.PARAMETER]}
# No header of a vendor belongs to these operations.
ACCESS: dict[str, Any] = {"security": [{"derapi": []}]}

blueprint = Blueprint("Virtual", __name__, description="Virtual sites and devices of clients of mode virtual.")


@blueprint.before_request
def refuse_other_modes() -> None:
    """403 for a client that has real devices: it sees no virtual ones, and may make none."""
    mode = bearer.caller().mode
    if mode != VIRTUAL:
        detail = f"Only clients of mode {VIRTUAL} have virtual devices; this client is of mode {mode}."
        raise Problem(403, "virtual_mode_required", detail)


@blueprint.get(SITES, **OPTIONS)
@blueprint.doc(operationId="listVirtualSites", **ACCESS)
@blueprint.arguments(PageQuery(), location="query")
@blueprint.response(200, VirtualSites)
@needs(Scope.READ)
def list_sites(query: dict[str, Any]) -> dict[str, Any]:
    """Lists the client's virtual sites."""
    _context()
    read = partial(services().virtual_fleet.sites_after, bearer.caller().id)
    return row_pages.page(query, read, lambda site: site.row.id, virtual_members.of_site)


@blueprint.post(SITES, **OPTIONS)
@blueprint.doc(operationId="createVirtualSite", **ACCESS)
@blueprint.arguments(CreateVirtualSiteRequest())
@blueprint.response(201, SiteSchema)
@needs(Scope.READ)
def create_site(new: NewSite) -> dict[str, Any]:
    """Makes a virtual site."""
    request_context = _context()
    created = services().virtual_fleet.create_site(bearer.caller().id, new)
    _store(request_context, records.site_row(created.row.id, created.row.name))
    return virtual_members.of_site(created)


@blueprint.get(SITES + "/<id>", **OPTIONS)
@blueprint.doc(operationId="getVirtualSite", **ACCESS)
@blueprint.response(200, SiteSchema)
@needs(Scope.READ)
def get_site(id: str) -> dict[str, Any]:
    """Reads what a virtual site was made with, and its devices."""
    return virtual_members.of_site(
        _existing(services().virtual_fleet.site(bearer.caller().id, _existing_key(Site, id)))
    )


@blueprint.delete(SITES + "/<id>", **OPTIONS)
@blueprint.doc(operationId="deleteVirtualSite", **ACCESS)
@blueprint.response(204)
@needs(Scope.READ)
def delete_site(id: str) -> Response:
    """Deletes a virtual site with its devices."""
    return _gone(services().virtual_fleet.delete_site(bearer.caller().id, _existing_key(Site, id)))


@dataclass(frozen=True)
class Kind:
    """A kind of devices, with its path, its schemas, and its name in the operations' ids and descriptions."""

    record: type[SolarInverter] | type[Battery]
    stored: str
    path: str
    name: str
    plural: str
    text: str
    body: type[ma.Schema]
    schema: type[ma.Schema]
    page: type[ma.Schema]


def add_devices(kind: Kind) -> None:
    """Adds the four operations on virtual devices of a kind."""

    @blueprint.get(kind.path, **OPTIONS)
    @blueprint.doc(
        operationId=f"listVirtual{kind.plural}", summary=f"Lists the client's virtual {kind.text}.", **ACCESS
    )
    @blueprint.arguments(PageQuery(), location="query")
    @blueprint.response(200, kind.page)
    @needs(Scope.READ)
    def list_devices(query: dict[str, Any]) -> dict[str, Any]:
        _context()
        read = partial(services().virtual_fleet.devices_after, bearer.caller().id, kind.stored)
        return row_pages.page(query, read, lambda device: device.row.id, virtual_members.of_device)

    @blueprint.post(kind.path, **OPTIONS)
    @blueprint.doc(operationId=f"createVirtual{kind.name}", summary=f"Makes one of the virtual {kind.text}.", **ACCESS)
    @blueprint.arguments(kind.body())
    @blueprint.response(201, kind.schema)
    @needs(Scope.READ)
    def create_device(body: tuple[NewDevice, str | None]) -> dict[str, Any]:
        return virtual_members.of_device(_create_device(*body))

    @blueprint.get(kind.path + "/<id>", **OPTIONS)
    @blueprint.doc(operationId=f"getVirtual{kind.name}", summary=f"Reads one of the virtual {kind.text}.", **ACCESS)
    @blueprint.response(200, kind.schema)
    @needs(Scope.READ)
    def get_device(id: str) -> dict[str, Any]:
        key = _existing_key(kind.record, id)
        return virtual_members.of_device(
            _existing(services().virtual_fleet.device(bearer.caller().id, kind.stored, key))
        )

    @blueprint.delete(kind.path + "/<id>", **OPTIONS)
    @blueprint.doc(
        operationId=f"deleteVirtual{kind.name}", summary=f"Deletes one of the virtual {kind.text}.", **ACCESS
    )
    @blueprint.response(204)
    @needs(Scope.READ)
    def delete_device(id: str) -> Response:
        key = _existing_key(kind.record, id)
        return _gone(services().virtual_fleet.delete_device(bearer.caller().id, kind.stored, key))


def _context() -> RequestContext:
    """The context, once the parameters are checked; its vendor access is to the client's virtual devices alone."""
    api_version.requested()
    return context.of_request()


def _create_device(new: NewDevice, site_id: str | None) -> DeviceAtSite:
    request_context = _context()
    key = None
    if site_id is not None:
        key = _key(request_context, Site, site_id)
        if key is None:
            raise unknown_site()
    created = services().virtual_fleet.create_device(bearer.caller().id, new, key)
    rows: list[ListRow[Any]] = [records.device_row(created.row.id, created.site.id, created.row.kind)]
    if key is None:
        rows.append(records.site_row(created.site.id, created.site.name))
    _store(request_context, *rows)
    return created


def _store(request_context: RequestContext, *rows: ListRow[Any]) -> None:
    """Stores the ids of what was made."""
    services().inventory.add(VENDOR, rows, request_context.deadline)


def _existing_key(kind: type[Record], id: str) -> str:
    """The key behind an id; raises a 404 Problem when there is none."""
    return _existing(_key(_context(), kind, id))


def _key(request_context: RequestContext, kind: type[Record], id: str) -> str | None:
    id_row = services().inventory.locate(kind, id, request_context.access, request_context.deadline)
    return id_row.key[0] if id_row else None


def _existing(value: T | None) -> T:
    if value is None:
        raise unknown_id()
    return value


def _gone(deleted: Deleted | None) -> Response:
    """204, once the ids of what was deleted are forgotten; raises a 404 Problem when nothing was."""
    deleted = _existing(deleted)
    keys: list[tuple[type[Record], tuple[str]]] = [(records.KINDS[kind], (id,)) for kind, id in deleted.devices]
    if deleted.site is not None:
        keys.append((Site, (deleted.site,)))
    services().inventory.forget(VENDOR, keys)
    return Response(status=204)


add_devices(
    Kind(
        record=SolarInverter,
        stored=SOLAR_INVERTER,
        path="/virtual/solar-inverters",
        name="SolarInverter",
        plural="SolarInverters",
        text="solar inverters",
        body=CreateVirtualSolarInverterRequest,
        schema=SolarInverterSchema,
        page=VirtualSolarInverters,
    )
)
add_devices(
    Kind(
        record=Battery,
        stored=BATTERY,
        path="/virtual/batteries",
        name="Battery",
        plural="Batteries",
        text="batteries",
        body=CreateVirtualBatteryRequest,
        schema=BatterySchema,
        page=VirtualBatteries,
    )
)
