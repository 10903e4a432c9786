"""The answer of `live_status`: the state of charge of a site, and powers with `solar + battery + grid = load`."""

from datetime import UTC
from typing import Any

from sandbox.tesla.constants import LIVE_SECONDS
from sandbox.tesla.products import battery_w, solar_w
from sandbox.tesla.sites import TeslaSite
from sandbox.times import local, zone_of

OVER = 300
# A fraction that a float holds exactly, so that the balance does too.
STEPS_PER_W = 1024


def live_status(seen: TeslaSite, now: float) -> dict[str, Any]:
    """The site's answer, as of the last time that the cloud renewed it."""
    t = LIVE_SECONDS * (now // LIVE_SECONDS)
    solar, battery, load = solar_w(seen, t), battery_w(seen, t), _load_w(seen, t)
    has_battery = bool(seen.batteries)
    status: dict[str, Any] = {
        "solar_power": solar,
        "percentage_charged": (seen.site.soc_percent(t) or 0.0) if has_battery else 0,
        "battery_power": battery,
        "load_power": load,
        "grid_status": "Active" if has_battery else "Unknown",
        "grid_services_active": False,
        "grid_power": load - solar - battery,
        "grid_services_power": 0,
        "generator_power": 0,
        "island_status": "on_grid" if has_battery else "island_status_unknown",
        "storm_mode_active": False,
        "timestamp": _stamp(seen, t),
        "wall_connectors": _connectors(seen) if has_battery else None,
    }
    return status | _pack(seen, status["percentage_charged"])


def _load_w(seen: TeslaSite, t: float) -> float:
    watts = 3_600_000 * (seen.site.load_kwh(t) - seen.site.load_kwh(t - OVER)) / OVER
    return round(watts * STEPS_PER_W) / STEPS_PER_W


def _pack(seen: TeslaSite, percent: float) -> dict[str, Any]:
    """The energy in the batteries: 0 of 1 Wh at a site without a battery; missing at every other site with one."""
    if not seen.batteries:
        return {"energy_left": 0, "total_pack_energy": 1}
    if seen.site.number % 2:
        return {"backup_capable": True}
    left = seen.capacity_wh * percent / 100
    return {"backup_capable": True, "energy_left": left, "total_pack_energy": seen.capacity_wh}


def _stamp(seen: TeslaSite, t: float) -> str:
    if seen.batteries:
        return local(t, zone_of(seen.site)).isoformat(timespec="seconds")
    return local(t, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _connectors(seen: TeslaSite) -> list[dict[str, Any]]:
    idle = {"wall_connector_state": 2, "wall_connector_fault_state": 2, "wall_connector_power": 0}
    return [{"din": connector["din"], **idle} for connector in seen.wall_connectors]
