"""What is true of the fleet: its sites, each dialect's view of them, and exact energies. The only oracle."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from flask import Blueprint, Response, request

from sandbox.dialect import Dialect, SiteView
from sandbox.fields import BadField, instant
from sandbox.replies import reply
from sandbox.world import World
from simulation import Device, Site

T = TypeVar("T")

_KINDS = {"pv": "solar_inverter", "charge": "battery", "discharge": "battery"}
_PARAMETERS = ("site", "vendor", "device", "kind", "start", "end")


def routes(world: World) -> Blueprint:
    """`GET /truth` and `GET /truth/energy`."""
    blueprint = Blueprint("truth", __name__)

    @blueprint.get("/truth")
    def truth() -> Response:
        views = {name: [_seen(one) for one in dialect.sites] for name, dialect in world.dialects.items()}
        return reply({"sites": [_site(site) for site in world.fleet.sites], "views": views})

    @blueprint.get("/truth/energy")
    def energy() -> Response:
        asked = _asked()
        start, end = instant("start", asked["start"]), instant("end", asked["end"])
        if start > end:
            raise BadField("end", "must not be before start")
        return reply({**asked, "wh": _energy_wh(world, asked, start, end)})

    return blueprint


def _site(site: Site) -> dict[str, Any]:
    return {
        "number": site.number,
        "name": site.name,
        "place": site.place.name,
        "latitude": site.place.latitude,
        "longitude": site.place.longitude,
        "timezone": site.place.timezone,
        "pv_kwp": site.pv_kwp,
        "battery": asdict(site.battery) if site.battery else None,
        "operational_since": site.operational_since.isoformat(),
    }


def _seen(seen: SiteView) -> dict[str, Any]:
    devices = [_device(device) for device in seen.view.devices]
    return {"number": seen.site.number, "site": seen.site_id, "devices": devices}


def _device(device: Device) -> dict[str, Any]:
    return {
        "kind": device.kind,
        "ids": dict(device.native),
        "serial": device.serial,
        "model": device.model,
        "name": device.name,
        "rated_kw": device.rated_kw,
        "capacity_kwh": device.capacity_kwh,
        "share": device.share,
    }


def _asked() -> dict[str, str]:
    for name in request.args:
        if name not in _PARAMETERS:
            raise BadField(name, f"unknown; known are {', '.join(_PARAMETERS)}")
        if len(request.args.getlist(name)) > 1:
            raise BadField(name, "given more than once")
    for name in ("site", "start", "end"):
        if name not in request.args:
            raise BadField(name, "missing")
    asked = {"kind": "pv", **request.args.to_dict()}
    if asked["kind"] not in _KINDS:
        raise BadField("kind", f"one of {', '.join(_KINDS)} is expected")
    return asked


def _energy_wh(world: World, asked: dict[str, str], start: float, end: float) -> float:
    kind = asked["kind"]
    if "vendor" not in asked:
        if "device" in asked:
            raise BadField("vendor", "missing; a device is known by its vendor only")
        site = _by_number(world.fleet.sites, asked["site"])
        cumulative = {"pv": site.pv_kwh, "charge": site.charge_kwh, "discharge": site.discharge_kwh}[kind]
        return 1000 * (cumulative(end) - cumulative(start))
    seen = _site_view(world, asked)
    if "device" in asked:
        return seen.view.energy_wh(_known_device(seen, asked["device"], _KINDS[kind]), kind, start, end)
    return seen.view.site_energy_wh(kind, start, end)


def _by_number(sites: Sequence[T], number: str) -> T:
    if not number.isdecimal() or int(number) >= len(sites):
        raise BadField("site", f"a number from 0 to {len(sites) - 1}, or an id of the vendor, is expected")
    return sites[int(number)]


def _site_view(world: World, asked: dict[str, str]) -> SiteView:
    """By the vendor's id first: a short id there may look like a number of the fleet."""
    dialect: Dialect | None = world.dialects.get(asked["vendor"])
    if dialect is None:
        raise BadField("vendor", f"one of {', '.join(world.dialects)} is expected")
    return dialect.by_id.get(asked["site"]) or _by_number(dialect.sites, asked["site"])


def _known_device(seen: SiteView, device_id: str, kind: str) -> Device:
    for device in seen.view.devices:
        if device.kind == kind and device_id in device.native.values():
            return device
    raise BadField("device", f"not a {kind} of this site")
