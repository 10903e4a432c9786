"""The answer of `site_info`: the settings of a site, and its devices as far as Tesla knows them."""

from typing import Any

from sandbox.tesla.constants import LOCATION_WITH_ARRAYS
from sandbox.tesla.products import battery_type
from sandbox.tesla.sites import TeslaSite
from sandbox.times import zone_of
from simulation import Site

# Modes of the fleet in Tesla's words. Backup is no mode there but a full reserve.
MODES = {"Self Consumption": "self_consumption", "Savings": "autonomous", "Backup": "self_consumption"}
NO_LIMIT_W = 1_000_000_000
VERSION = "26.36.0 0fe780c9"


def site_info(seen: TeslaSite, time_zone: str) -> dict[str, Any]:
    """The site's answer, with that name of its zone."""
    site = seen.site
    info: dict[str, Any] = {
        "id": seen.gateway or seen.uid,
        "site_name": site.name,
        "installation_date": site.operational_since.astimezone(zone_of(site)).isoformat(timespec="seconds"),
        "installation_time_zone": time_zone,
        "user_settings": _user_settings(seen),
        "components": _components(seen),
    }
    info |= _battery_settings(seen) if seen.batteries else {"site_number": seen.site_id}
    if LOCATION_WITH_ARRAYS or not seen.arrays:
        info["geolocation"] = {"latitude": site.place.latitude, "longitude": site.place.longitude}
        info["address"] = _address(site)
    return info


def _user_settings(seen: TeslaSite) -> dict[str, Any]:
    known = True if seen.batteries else None
    return {
        "go_off_grid_test_banner_enabled": False if known else None,
        "storm_mode_enabled": known,
        "powerwall_onboarding_settings_set": known,
        "powerwall_tesla_electric_interested_in": False if known else None,
        "sync_grid_alert_enabled": bool(known),
        "breaker_alert_enabled": False,
    }


def _components(seen: TeslaSite) -> dict[str, Any]:
    has_battery = bool(seen.batteries)
    components: dict[str, Any] = {
        "solar": True,
        "solar_type": "pv_panel",
        "battery": has_battery,
        "grid": True,
        "backup": has_battery,
        "gateway": "teg" if has_battery else "gateway_type_none",
        "load_meter": True,
        "tou_capable": has_battery,
        "storm_mode_capable": has_battery,
        "flex_energy_request_capable": False,
        "car_charging_data_supported": False,
        "off_grid_vehicle_charging_reserve_supported": has_battery,
        "battery_solar_offset_view_enabled": has_battery,
        "energy_service_self_scheduling_enabled": True,
        "configurable": has_battery,
        "grid_services_enabled": False,
    }
    if has_battery:
        components |= {"battery_type": battery_type(seen), "set_islanding_mode_enabled": True}
    return components | seen.arrays | _wall_connectors(seen)


def _wall_connectors(seen: TeslaSite) -> dict[str, Any]:
    """Named at sites with device arrays only, as captured."""
    name = {"part_name": "Gen 3 Wall Connector"} if seen.arrays else {}
    return {"wall_connectors": [connector | name for connector in seen.wall_connectors]} if seen.wall_connectors else {}


def _battery_settings(seen: TeslaSite) -> dict[str, Any]:
    battery = seen.site.battery
    is_backup = battery is not None and battery.mode == "Backup"
    return {
        "backup_reserve_percent": 100 if is_backup else round(battery.floor_percent) if battery else 0,
        "default_real_mode": MODES[battery.mode] if battery else "self_consumption",
        "version": VERSION,
        "battery_count": len(seen.batteries),
        "nameplate_power": seen.max_w,
        "nameplate_energy": 0.0 if seen.is_its_own_gateway else seen.capacity_wh,
        "tou_settings": {"optimization_strategy": "economics", "schedule": []},
        "max_site_meter_power_ac": NO_LIMIT_W,
        "min_site_meter_power_ac": -NO_LIMIT_W,
        "vpp_backup_reserve_percent": 0,
    }


def _address(site: Site) -> dict[str, str]:
    return {"address_line1": "1 Sandbox Road", "city": site.place.name, "state": "", "zip": "00000", "country": ""}
