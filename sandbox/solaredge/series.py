"""The endpoints that answer series: power, energy, telemetry and overview."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Response, request

from sandbox.clock import Clock
from sandbox.replies import Refused, reply
from sandbox.solaredge.buckets import RESOLUTIONS, Window, instant
from sandbox.solaredge.constants import DEFAULT_RESOLUTION
from sandbox.solaredge.errors import error
from sandbox.solaredge.readings import Reader, Values, in_unit
from sandbox.solaredge.sites import SolarEdgeSite
from sandbox.times import day_start, local, zone_of
from simulation import Device

FIRST_NANOSECONDS = "160789237"
# Metric of a battery: its quantity and base unit.
FLOWS = {
    "chargePower": ("charge", "W"),
    "dischargePower": ("discharge", "W"),
    "chargeEnergy": ("charge", "WH"),
    "dischargeEnergy": ("discharge", "WH"),
}
BATTERY_METRICS = (*FLOWS, "stateOfEnergy", "remainingEnergy")


class SeriesEndpoints:
    """The endpoints, over the sites that the credential of a request may see.

    site: gives the site of an id, or raises Refused.
    """

    def __init__(self, site: Callable[[str], SolarEdgeSite], clock: Clock) -> None:
        self._site = site
        self._clock = clock

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
        return self._storage(site_id, self._site(site_id).batteries)

    def of_batteries(self, site_id: str, serials: str) -> Response:
        """The same of some batteries, whose serial numbers stand in the path with commas between them."""
        seen = self._site(site_id)
        devices = [device for serial in serials.split(",") if (device := seen.of_kind("battery", serial))]
        if len(devices) < len(serials.split(",")):
            raise Refused(error(404, "Device not found"))
        return self._storage(site_id, devices)

    def _storage(self, site_id: str, devices: Iterable[Device]) -> Response:
        reader = self._reader(site_id)
        storage = {
            device.serial: {name: self._series(reader, *_battery(reader, device, name)) for name in BATTERY_METRICS}
            for device in devices
        }
        resolution = reader.window.resolution
        return reply({"period": _period(reader), "resolution": resolution, "storage": storage})

    def of_meters(self, site_id: str) -> Response:
        """The series of the production meter."""
        reader = self._reader(site_id)
        series = {
            "productionEnergy": self._series(reader, *_production(reader, None, "energy")),
            "productionPower": self._series(reader, *_production(reader, None, "power")),
        }
        resolution = reader.window.resolution
        return reply({"period": _period(reader), "resolution": resolution, "meters": {reader.seen.meter: series}})

    def of_inverter(self, site_id: str, serial: str, metric: str) -> Response:
        """One metric of one inverter."""
        device = self._site(site_id).of_kind("solar_inverter", serial)
        if device is None or metric not in ("power", "energy"):
            raise Refused(error(404, "Device or metric not found"))
        reader = self._reader(site_id)
        return reply({"period": _period(reader), **self._series(reader, *_production(reader, device, metric))})

    def of_battery(self, site_id: str, serial: str, metric: str) -> Response:
        """One metric of one battery; in the path its words are joined by hyphens."""
        device = self._site(site_id).of_kind("battery", serial)
        first, *words = metric.split("-")
        name = first + "".join(word.capitalize() for word in words)
        if device is None or name not in BATTERY_METRICS:
            raise Refused(error(404, "Device or metric not found"))
        reader = self._reader(site_id)
        return reply({"period": _period(reader), **self._series(reader, *_battery(reader, device, name))})

    def _telemetry(self, reader: Reader, devices: Iterable[Device]) -> dict[str, Any]:
        return {
            str(device.serial): {
                metric: self._series(reader, *_production(reader, device, metric)) for metric in ("power", "energy")
            }
            for device in devices
        }

    def _series(self, reader: Reader, values: Values, base: str) -> dict[str, Any]:
        try:
            unit, scaled = in_unit(values, base, request.args.get("unit", ""))
        except ValueError:
            raise Refused(error(400, "Unknown unit")) from None
        rows = [{"timestamp": at, "value": value} for at, value in zip(reader.stamps(), scaled, strict=True)]
        return {"unit": unit, "resolution": reader.window.resolution, "values": rows}

    def _reader(self, site_id: str, resolution: str = "") -> Reader:
        seen = self._site(site_id)
        window = self._window(seen, resolution or request.args.get("resolution", DEFAULT_RESOLUTION))
        return Reader(seen, window, self._clock.now())

    def _window(self, seen: SolarEdgeSite, resolution: str) -> Window:
        zone, now = zone_of(seen.site), self._clock.now()
        given = request.args.get("from"), request.args.get("to")
        try:
            start = instant(given[0], zone) if given[0] else day_start(local(now, zone).date(), zone)
            end = instant(given[1], zone) if given[1] else now
        except ValueError:
            raise Refused(error(400, "from and to must be ISO 8601 times")) from None
        if resolution not in RESOLUTIONS or end < start:
            raise Refused(error(400, "Unknown resolution, or to before from"))
        window = Window(start, end, resolution, zone, open=given[1] is None)
        if window.is_too_long():
            raise Refused(error(400, f"The period is too long for the resolution {resolution}"))
        return window


def _production(reader: Reader, device: Device | None, metric: str) -> tuple[Values, str]:
    return (reader.power("pv", device), "W") if metric == "power" else (reader.energy("pv", device), "WH")


def _battery(reader: Reader, device: Device, name: str) -> tuple[Values, str]:
    if name in FLOWS:
        quantity, base = FLOWS[name]
        read = reader.power if base == "W" else reader.energy
        return read(quantity, device), base
    if name == "stateOfEnergy":
        return reader.states(lambda percent: percent), "PERCENTAGE"
    capacity_wh = 1000 * (device.capacity_kwh or 0.0)
    return reader.states(lambda percent: capacity_wh * percent / 100), "WH"


def _period(reader: Reader) -> dict[str, str]:
    """From and to. A window that ends now has its end in nanoseconds, as captured."""
    window = reader.window
    start, end = local(window.start, window.zone), local(window.end, window.zone)
    if not window.open:
        return {"from": start.isoformat(), "to": end.isoformat()}
    text = end.replace(microsecond=0).isoformat()
    return {"from": start.isoformat(), "to": f"{text[:19]}.{FIRST_NANOSECONDS}{text[19:]}"}
