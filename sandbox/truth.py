"""Serves the truth about the fleet: its sites, each dialect's view of them, exact energies and states.

Tests compare what a plugin reports with this and with nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from math import fsum
from typing import Any, TypeVar

from flask import Blueprint, Response, request

from sandbox.dialect import Dialect, SiteView
from sandbox.fields import BadField, instant
from sandbox.replies import reply
from simulation import Device, Fleet, Site

T = TypeVar("T")

# The devices that have the quantity.
KINDS = {"pv": "solar_inverter", "charge": "battery", "discharge": "battery"}
ENERGY_REQUIRED, STATE_REQUIRED = ("site", "start", "end"), ("site", "at")
# Powers are means over the seconds before an instant.
DEFAULT_SECONDS, LONGEST_SECONDS = "300", 86_400


def routes(fleet: Fleet, dialects: Mapping[str, Dialect]) -> Blueprint:
    """`GET /truth`, `GET /truth/energy` and `GET /truth/state`."""
    blueprint = Blueprint("truth", __name__)
    truth = Truth(fleet, dialects)
    blueprint.get("/truth")(truth.show_fleet)
    blueprint.get("/truth/energy")(truth.show_energy)
    blueprint.get("/truth/state")(truth.show_state)
    return blueprint


class Truth:
    """The endpoints. `site` is a number of the fleet, or together with `vendor` also an id of the vendor's."""

    def __init__(self, fleet: Fleet, dialects: Mapping[str, Dialect]) -> None:
        self._fleet = fleet
        self._dialects = dialects

    def show_fleet(self) -> Response:
        """All sites, and for each vendor its view of them and its resolution."""
        views = {vendor: [_view(seen) for seen in dialect.sites] for vendor, dialect in self._dialects.items()}
        resolutions = {vendor: asdict(dialect.resolution) for vendor, dialect in self._dialects.items()}
        sites = [_site(site) for site in self._fleet.sites]
        return reply({"sites": sites, "views": views, "resolutions": resolutions})

    def show_energy(self) -> Response:
        """The energy of a site or device between two instants, in Wh."""
        query = {"kind": "pv", **_query(ENERGY_REQUIRED, ("vendor", "device", "kind"))}
        if query["kind"] not in KINDS:
            raise BadField("kind", f"one of {', '.join(KINDS)} is expected")
        start, end = instant("start", query["start"]), instant("end", query["end"])
        if start > end:
            raise BadField("end", "must not be before start")
        return reply({**query, "wh": self._energy_wh(query, start, end)})

    def show_state(self) -> Response:
        """The powers and the state of charge of a site or device at an instant."""
        query = {"seconds": DEFAULT_SECONDS, **_query(STATE_REQUIRED, ("vendor", "device", "seconds"))}
        at, seconds = instant("at", query["at"]), _whole_seconds(query["seconds"])
        site, shares = self._shares(query)
        return reply({**query, "seconds": seconds, **_state(site, shares, at, seconds)})

    def _energy_wh(self, query: Mapping[str, str], start: float, end: float) -> float:
        kind = query["kind"]
        if "vendor" not in query:
            site = _by_number(self._fleet.sites, query["site"])
            cumulative = {"pv": site.pv_kwh, "charge": site.charge_kwh, "discharge": site.discharge_kwh}[kind]
            return 1000 * (cumulative(end) - cumulative(start))
        seen = self._site_view(query)
        if "device" in query:
            return seen.view.energy_wh(_device_of_kind(seen, query["device"], KINDS[kind]), kind, start, end)
        return seen.view.site_energy_wh(kind, start, end)

    def _shares(self, query: Mapping[str, str]) -> tuple[Site, dict[str, float]]:
        """The site, and for each kind of device the share of its flows that the query covers.

        A hybrid inverter is a device of two kinds.
        """
        if "vendor" not in query:
            site = _by_number(self._fleet.sites, query["site"])
            return site, {"solar_inverter": 1.0} | ({"battery": 1.0} if site.battery else {})
        seen = self._site_view(query)
        devices = [
            device for device in seen.view.devices if "device" not in query or query["device"] in device.native.values()
        ]
        if "device" in query and not devices:
            raise BadField("device", "not of this site")
        kinds = {device.kind for device in devices}
        return seen.site, {kind: fsum(device.share for device in devices if device.kind == kind) for kind in kinds}

    def _site_view(self, query: Mapping[str, str]) -> SiteView:
        """Looks for the vendor's id first, since a vendor's short id may look like a number of the fleet."""
        dialect = self._dialects.get(query["vendor"])
        if dialect is None:
            raise BadField("vendor", f"one of {', '.join(self._dialects)} is expected")
        return dialect.by_id.get(query["site"]) or _by_number(dialect.sites, query["site"])


def _query(required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, str]:
    known = (*required, *optional)
    for name in request.args:
        if name not in known:
            raise BadField(name, f"unknown; known are {', '.join(known)}")
        if len(request.args.getlist(name)) > 1:
            raise BadField(name, "given more than once")
    for name in required:
        if name not in request.args:
            raise BadField(name, "missing")
    if "device" in request.args and "vendor" not in request.args:
        raise BadField("vendor", "missing; a device is known by its vendor only")
    return request.args.to_dict()


def _whole_seconds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_SECONDS:
        raise BadField("seconds", f"a whole number from 1 to {LONGEST_SECONDS} is expected")
    return int(text)


def _by_number(sites: Sequence[T], number: str) -> T:
    if not number.isdecimal() or int(number) >= len(sites):
        raise BadField("site", f"a number from 0 to {len(sites) - 1}, or an id of the vendor, is expected")
    return sites[int(number)]


def _device_of_kind(seen: SiteView, device_id: str, kind: str) -> Device:
    for device in seen.view.devices:
        if device.kind == kind and device_id in device.native.values():
            return device
    raise BadField("device", f"not a {kind} of this site")


def _state(site: Site, shares: Mapping[str, float], at: float, seconds: int) -> dict[str, float | None]:
    """Mean powers over the seconds that end at the instant, and the state of charge then; null without a device."""
    solar_share, battery_share = shares.get("solar_inverter"), shares.get("battery")

    def mean_kw(cumulative: Callable[[float], float], share: float | None) -> float | None:
        return None if share is None else share * (cumulative(at) - cumulative(at - seconds)) * 3600 / seconds

    return {
        "power_kw": mean_kw(site.pv_kwh, solar_share),
        "charge_kw": mean_kw(site.charge_kwh, battery_share),
        "discharge_kw": mean_kw(site.discharge_kwh, battery_share),
        "soc_percent": None if battery_share is None else site.soc_percent(at),
    }


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


def _view(seen: SiteView) -> dict[str, Any]:
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
