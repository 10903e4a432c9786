"""Power, energy, telemetry, overview: series whose unit grows with their values, null where nothing is known."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from sandbox.replies import Refused, reply
from sandbox.solaredge.buckets import RESOLUTIONS, Window, instant
from sandbox.solaredge.constants import DEFAULT_RESOLUTION, KILO_FROM, LAG_SECONDS, MEGA_FROM
from sandbox.solaredge.sites import SolarEdgeSite
from sandbox.times import day_start, local, zone_of
from simulation import Device

if TYPE_CHECKING:
    from sandbox.solaredge.dialect import SolarEdge

_FACTORS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9}
_FIRST_NANOSECONDS = "160789237"
_UNITS = {prefix + base for prefix in _FACTORS for base in ("W", "WH")}
_Values = list[float | None]
# Metric of a battery: its quantity and base unit.
_FLOWS = {
    "chargePower": ("charge", "W"),
    "dischargePower": ("discharge", "W"),
    "chargeEnergy": ("charge", "WH"),
    "dischargeEnergy": ("discharge", "WH"),
}


@dataclass(frozen=True)
class Reader:
    """The values of a site, or of one device of it, over a window."""

    seen: SolarEdgeSite
    window: Window
    now: float

    @property
    def _ready(self) -> float:
        """The end of the last quarter that the cloud has."""
        return 900 * ((self.now - LAG_SECONDS) // 900)

    def energy(self, quantity: str, device: Device | None) -> _Values:
        """Wh of each bucket; running days and longer ones hold what there is."""
        return [self._known(start, end, quantity, device) for start, end in self.window.buckets()]

    def power(self, quantity: str, device: Device | None) -> _Values:
        """Mean W of each bucket."""
        buckets = list(self.window.buckets())
        energies = self.energy(quantity, device)
        hours = [(min(end, self._ready) - start) / 3600 for start, end in buckets]
        return [None if wh is None else round(wh / span, 6) for wh, span in zip(energies, hours, strict=True)]

    def states(self, percent_to_value: Callable[[float], float]) -> _Values:
        """A value made of the state of charge at the end of each bucket."""
        return [self._state(end, percent_to_value) for _, end in self.window.buckets()]

    def stamps(self) -> list[str]:
        """The start of each bucket, with the site's offset."""
        return [local(start, self.window.zone).isoformat() for start, _ in self.window.buckets()]

    def _known(self, start: float, end: float, quantity: str, device: Device | None) -> float | None:
        until = min(end, self._ready)
        is_running_quarter = self.window.resolution == "QUARTER_HOUR" and end > self._ready
        if until <= start or is_running_quarter or end <= self._begun:
            return None
        if quantity == "pv" and self._is_deep_night(start, end):
            return None
        view = self.seen.view
        if device is None:
            return float(view.site_energy_wh(quantity, start, until))
        return float(view.energy_wh(device, quantity, start, until))

    def _is_deep_night(self, start: float, end: float) -> bool:
        """No sun in this short bucket nor in its neighbours. The dark buckets beside the day are 0, not null."""
        if end - start > 5400:
            return False
        span = end - start
        return self.seen.site.pv_kwh(start - span) >= self.seen.site.pv_kwh(end + span)

    def _state(self, end: float, percent_to_value: Callable[[float], float]) -> float | None:
        percent = self.seen.site.soc_percent(min(end, self._ready))
        if percent is None or (self.window.resolution == "QUARTER_HOUR" and end > self._ready):
            return None
        return round(percent_to_value(percent), 3)

    @property
    def _begun(self) -> float:
        return self.seen.site.operational_since.timestamp()


class SeriesEndpoints:
    """The endpoints that give series."""

    def __init__(self, cloud: "SolarEdge") -> None:
        self._cloud = cloud

    def add_routes(self, blueprint: Blueprint) -> None:
        """Below `/v2/sites/{siteId}`."""
        base = "/v2/sites/<site_id>"
        blueprint.get(f"{base}/overview")(self.overview)
        blueprint.get(f"{base}/<any(power, energy):metric>")(self.of_site)
        blueprint.get(f"{base}/inverters/telemetry")(self.of_inverters)
        blueprint.get(f"{base}/storage/telemetry")(self.of_storage)
        blueprint.get(f"{base}/storage/<serials>/telemetry")(self.of_batteries)
        blueprint.get(f"{base}/meters/telemetry")(self.of_meters)
        blueprint.get(f"{base}/inverters/<serial>/<metric>")(self.of_inverter)
        blueprint.get(f"{base}/storage/<serial>/<metric>")(self.of_battery)

    def overview(self, site_id: str) -> Response:
        """The production of the window: today, unless asked otherwise."""
        reader = self._reader(site_id, "TOTAL")
        produced = reader.energy("pv", None)[0] or 0.0
        nothing = {"toSelfConsumption": None, "toStorage": None, "toGrid": None}
        unit, (total,) = in_unit([produced], "WH")
        unmeasured = {"total": None, "unit": "WH", "fromPv": None, "fromStorage": None, "fromGrid": None}
        production = {"total": total, "unit": unit, **nothing}
        return reply({"siteId": int(site_id), "production": production, "consumption": unmeasured})

    def of_site(self, site_id: str, metric: str) -> Response:
        """The production of the site."""
        reader = self._reader(site_id)
        values, base = _production(reader, None, metric)
        return reply({"period": _period(reader), **self._series(reader, values, base)})

    def of_inverters(self, site_id: str) -> Response:
        """Power and energy of every inverter."""
        reader = self._reader(site_id)
        return reply({"period": _period(reader), "inverters": self._telemetry(reader, reader.seen.inverters)})

    def of_storage(self, site_id: str) -> Response:
        """The flows and the charge of every battery."""
        return self._storage(site_id, self._cloud.site(site_id).batteries)

    def of_batteries(self, site_id: str, serials: str) -> Response:
        """The same of some batteries, whose serial numbers stand in the path with commas between them."""
        seen = self._cloud.site(site_id)
        devices = [device for serial in serials.split(",") if (device := seen.of_kind("battery", serial))]
        if len(devices) < len(serials.split(",")):
            raise Refused(self._cloud.error(404, "Device not found"))
        return self._storage(site_id, devices)

    def _storage(self, site_id: str, devices: Iterable[Device]) -> Response:
        reader = self._reader(site_id)
        storage = {
            device.serial: {name: self._series(reader, *_battery(reader, device, name)) for name in _BATTERY_METRICS}
            for device in devices
        }
        resolution = reader.window.resolution
        return reply({"period": _period(reader), "resolution": resolution, "storage": storage})

    def of_meters(self, site_id: str) -> Response:
        """What the production meter counts."""
        reader = self._reader(site_id)
        series = {
            "productionEnergy": self._series(reader, *_production(reader, None, "energy")),
            "productionPower": self._series(reader, *_production(reader, None, "power")),
        }
        resolution = reader.window.resolution
        return reply({"period": _period(reader), "resolution": resolution, "meters": {reader.seen.meter: series}})

    def of_inverter(self, site_id: str, serial: str, metric: str) -> Response:
        """One metric of one inverter."""
        device = self._cloud.site(site_id).of_kind("solar_inverter", serial)
        if device is None or metric not in ("power", "energy"):
            raise Refused(self._cloud.error(404, "Device or metric not found"))
        reader = self._reader(site_id)
        return reply({"period": _period(reader), **self._series(reader, *_production(reader, device, metric))})

    def of_battery(self, site_id: str, serial: str, metric: str) -> Response:
        """One metric of one battery; in the path its words are joined by hyphens."""
        device = self._cloud.site(site_id).of_kind("battery", serial)
        first, *rest = metric.split("-")
        name = first + "".join(word.capitalize() for word in rest)
        if device is None or name not in _BATTERY_METRICS:
            raise Refused(self._cloud.error(404, "Device or metric not found"))
        reader = self._reader(site_id)
        return reply({"period": _period(reader), **self._series(reader, *_battery(reader, device, name))})

    def _telemetry(self, reader: Reader, devices: Iterable[Device]) -> dict[str, Any]:
        return {
            str(device.serial): {
                metric: self._series(reader, *_production(reader, device, metric)) for metric in ("power", "energy")
            }
            for device in devices
        }

    def _series(self, reader: Reader, values: _Values, base: str) -> dict[str, Any]:
        try:
            unit, scaled = in_unit(values, base, request.args.get("unit", ""))
        except ValueError:
            raise Refused(self._cloud.error(400, "Unknown unit")) from None
        rows = [{"timestamp": at, "value": value} for at, value in zip(reader.stamps(), scaled, strict=True)]
        return {"unit": unit, "resolution": reader.window.resolution, "values": rows}

    def _reader(self, site_id: str, resolution: str = "") -> Reader:
        seen = self._cloud.site(site_id)
        window = self._window(seen, resolution or request.args.get("resolution", DEFAULT_RESOLUTION))
        return Reader(seen, window, self._cloud.now)

    def _window(self, seen: SolarEdgeSite, resolution: str) -> Window:
        zone, now = zone_of(seen.site), self._cloud.now
        given = request.args.get("from"), request.args.get("to")
        try:
            start = instant(given[0], zone) if given[0] else day_start(local(now, zone).date(), zone)
            end = instant(given[1], zone) if given[1] else now
        except ValueError:
            raise Refused(self._cloud.error(400, "from and to must be ISO 8601 times")) from None
        if resolution not in RESOLUTIONS or end < start:
            raise Refused(self._cloud.error(400, "Unknown resolution, or to before from"))
        window = Window(start, end, resolution, zone, open=given[1] is None)
        if window.is_too_long():
            raise Refused(self._cloud.error(400, f"The period is too long for the resolution {resolution}"))
        return window


def _production(reader: Reader, device: Device | None, metric: str) -> tuple[_Values, str]:
    return (reader.power("pv", device), "W") if metric == "power" else (reader.energy("pv", device), "WH")


def _battery(reader: Reader, device: Device, name: str) -> tuple[_Values, str]:
    if name in _FLOWS:
        quantity, base = _FLOWS[name]
        read = reader.power if base == "W" else reader.energy
        return read(quantity, device), base
    if name == "stateOfEnergy":
        return reader.states(lambda percent: percent), "PERCENTAGE"
    capacity_wh = 1000 * (device.capacity_kwh or 0.0)
    return reader.states(lambda percent: capacity_wh * percent / 100), "WH"


_BATTERY_METRICS = (*_FLOWS, "stateOfEnergy", "remainingEnergy")


def in_unit(values: _Values, base: str, asked: str = "") -> tuple[str, _Values]:
    """The unit, and the values in it: the one asked for, else the one that suits the largest value.

    A unit of power does not bear on energies, nor the other way round. Raises ValueError for an unknown unit.
    """
    if asked and asked not in _UNITS:
        raise ValueError(asked)
    if base == "PERCENTAGE":
        return base, values
    if asked.endswith(base):
        prefix = asked.removesuffix(base)
    else:
        most = max((abs(value) for value in values if value is not None), default=0.0)
        prefix = "M" if most >= MEGA_FROM else "K" if most >= KILO_FROM else ""
    factor = _FACTORS[prefix]
    return prefix + base, [None if value is None else value / factor for value in values]


def _period(reader: Reader) -> dict[str, str]:
    """From and to. A window that ends now has its end in nanoseconds, as captured."""
    window = reader.window
    start, end = local(window.start, window.zone), local(window.end, window.zone)
    if not window.open:
        return {"from": start.isoformat(), "to": end.isoformat()}
    text = end.replace(microsecond=0).isoformat()
    return {"from": start.isoformat(), "to": f"{text[:19]}.{_FIRST_NANOSECONDS}{text[19:]}"}
