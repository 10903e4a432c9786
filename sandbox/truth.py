"""Serves the truth about the fleet: sites, each dialect's view of them, exact energies and powers. The only oracle."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import fsum
from typing import Any, TypeVar

from flask import Blueprint, Response, request

from sandbox.dialect import Dialect, SiteView
from sandbox.fields import BadField, instant
from sandbox.replies import reply
from sandbox.world import World
from simulation import Device, Site

T = TypeVar("T")

_KINDS = {"pv": "solar_inverter", "charge": "battery", "discharge": "battery"}
_OF_ENERGY, _OF_STATE = ("site", "start", "end"), ("site", "at")
# Powers are means of so many seconds, if a question does not say of how many.
_SECONDS, _MOST_SECONDS = "300", 86_400


def routes(world: World) -> Blueprint:
    """`GET /truth`, `GET /truth/energy` and `GET /truth/state`."""
    blueprint = Blueprint("truth", __name__)

    @blueprint.get("/truth")
    def truth() -> Response:
        views = {name: [_seen(one) for one in dialect.sites] for name, dialect in world.dialects.items()}
        resolutions = {name: asdict(dialect.resolution) for name, dialect in world.dialects.items()}
        return reply({"sites": [_site(site) for site in world.fleet.sites], "views": views, "resolutions": resolutions})

    @blueprint.get("/truth/energy")
    def energy() -> Response:
        asked = {"kind": "pv", **_asked(_OF_ENERGY, ("vendor", "device", "kind"))}
        if asked["kind"] not in _KINDS:
            raise BadField("kind", f"one of {', '.join(_KINDS)} is expected")
        start, end = instant("start", asked["start"]), instant("end", asked["end"])
        if start > end:
            raise BadField("end", "must not be before start")
        return reply({**asked, "wh": _energy_wh(world, asked, start, end)})

    @blueprint.get("/truth/state")
    def state() -> Response:
        asked = {"seconds": _SECONDS, **_asked(_OF_STATE, ("vendor", "device", "seconds"))}
        at, seconds = instant("at", asked["at"]), _whole_seconds(asked["seconds"])
        return reply({**asked, "seconds": seconds, **_state(world, asked, at, seconds)})

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


def _asked(demanded: tuple[str, ...], others: tuple[str, ...]) -> dict[str, str]:
    known = (*demanded, *others)
    for name in request.args:
        if name not in known:
            raise BadField(name, f"unknown; known are {', '.join(known)}")
        if len(request.args.getlist(name)) > 1:
            raise BadField(name, "given more than once")
    for name in demanded:
        if name not in request.args:
            raise BadField(name, "missing")
    if "device" in request.args and "vendor" not in request.args:
        raise BadField("vendor", "missing; a device is known by its vendor only")
    return request.args.to_dict()


def _whole_seconds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_SECONDS:
        raise BadField("seconds", f"a whole number from 1 to {_MOST_SECONDS} is expected")
    return int(text)


def _energy_wh(world: World, asked: dict[str, str], start: float, end: float) -> float:
    kind = asked["kind"]
    if "vendor" not in asked:
        site = _by_number(world.fleet.sites, asked["site"])
        cumulative = {"pv": site.pv_kwh, "charge": site.charge_kwh, "discharge": site.discharge_kwh}[kind]
        return 1000 * (cumulative(end) - cumulative(start))
    seen = _site_view(world, asked)
    if "device" in asked:
        return seen.view.energy_wh(_known_device(seen, asked["device"], _KINDS[kind]), kind, start, end)
    return seen.view.site_energy_wh(kind, start, end)


def _state(world: World, asked: dict[str, str], at: float, seconds: int) -> dict[str, float | None]:
    """Mean powers of the seconds that end at the instant, and the state of charge then; null of what is not there."""
    site, shares = _shares(world, asked)
    solar, stored = shares.get("solar_inverter"), shares.get("battery")

    def mean_kw(cumulative: Callable[[float], float], share: float | None) -> float | None:
        return None if share is None else share * (cumulative(at) - cumulative(at - seconds)) * 3600 / seconds

    return {
        "power_kw": mean_kw(site.pv_kwh, solar),
        "charge_kw": mean_kw(site.charge_kwh, stored),
        "discharge_kw": mean_kw(site.discharge_kwh, stored),
        "soc_percent": None if stored is None else site.soc_percent(at),
    }


def _shares(world: World, asked: dict[str, str]) -> tuple[Site, dict[str, float]]:
    """The site, and by the kind of device the part of its flows that is asked about: a hybrid has two kinds."""
    if "vendor" not in asked:
        site = _by_number(world.fleet.sites, asked["site"])
        return site, {"solar_inverter": 1.0} | ({"battery": 1.0} if site.battery else {})
    seen = _site_view(world, asked)
    found = [one for one in seen.view.devices if "device" not in asked or asked["device"] in one.native.values()]
    if "device" in asked and not found:
        raise BadField("device", "not of this site")
    kinds = {device.kind for device in found}
    return seen.site, {kind: fsum(one.share for one in found if one.kind == kind) for kind in kinds}


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
