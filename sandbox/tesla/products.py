"""The answer of `products`: a vehicle, the energy sites, and a contract for electricity. All values are made up."""

from collections.abc import Iterable
from typing import Any

from sandbox.tesla.sites import RETAIL_ID, RETIRED_ID, TeslaSite

# Private data that a caller has no use for; tests look for these texts where they must not be.
VEHICLE_TOKENS = ("sandbox-vehicle-token-one", "sandbox-vehicle-token-two")
# Not a valid number: it holds the letter O, and its check digit is none.
VIN = "SANDBOX00VEHICLE1"
SETTINGS = {
    "go_off_grid_test_banner_enabled": None,
    "storm_mode_enabled": True,
    "powerwall_onboarding_settings_set": True,
    "powerwall_tesla_electric_interested_in": None,
    "vpp_tour_enabled": None,
    "sync_grid_alert_enabled": True,
    "breaker_alert_enabled": True,
}


def products(sites: Iterable[TeslaSite], now: float, *, with_retired: bool) -> list[dict[str, Any]]:
    """All products of the account, in one mixed list."""
    retired = [_retired()] if with_retired else []
    return [_vehicle(), *(_site(seen, now) for seen in sites), *retired, _retail()]


def _vehicle() -> dict[str, Any]:
    return {
        "id": 1_234_567_890,
        "user_id": 1_234,
        "vehicle_id": 9_876_543_210,
        "vin": VIN,
        "color": None,
        "access_type": "OWNER",
        "display_name": "Sandbox car",
        "option_codes": None,
        "cached_data": None,
        "granular_access": {"hide_private": False},
        "tokens": list(VEHICLE_TOKENS),
        "state": "asleep",
        "in_service": False,
        "id_s": "1234567890",
        "calendar_enabled": True,
        "api_version": 71,
        "backseat_token": None,
        "ble_autopair_enrolled": False,
        "vehicle_config": {"car_type": "model3", "timestamp": 1_705_701_487_912},
        "command_signing": "allowed",
    }


def _site(seen: TeslaSite, now: float) -> dict[str, Any]:
    return _battery_site(seen, now) if seen.batteries else _solar_site(seen, now)


def _battery_site(seen: TeslaSite, now: float) -> dict[str, Any]:
    percent = seen.site.soc_percent(now) or 0.0
    components = _battery_components(battery_type(seen))
    if seen.wall_connectors:
        components["wall_connectors"] = seen.wall_connectors
    return {
        "energy_site_id": int(seen.site_id),
        "resource_type": "battery",
        "site_name": seen.site.name,
        "id": seen.uid,
        "gateway_id": seen.gateway,
        "asset_site_id": f"5a9db0{seen.site.number:06x}",
        "warp_site_number": seen.uid,
        "energy_left": seen.capacity_wh * percent / 100,
        "total_pack_energy": seen.capacity_wh,
        "percentage_charged": percent,
        "battery_type": battery_type(seen),
        "backup_capable": True,
        "battery_power": battery_w(seen, now),
        **SETTINGS,
        "components": components,
        "features": {"rate_plan_manager_no_pricing_constraint": True},
    }


def _battery_components(kind: str) -> dict[str, Any]:
    return {
        "battery": True,
        "battery_type": kind,
        "solar": True,
        "solar_type": "pv_panel",
        "grid": True,
        "load_meter": True,
        "market_type": "residential",
    }


def _solar_site(seen: TeslaSite, now: float) -> dict[str, Any]:
    """Without a battery there is no gateway, and the list has no name for the site."""
    return {
        "energy_site_id": int(seen.site_id),
        "resource_type": "solar",
        "id": seen.uid,
        "asset_site_id": f"5a9db0{seen.site.number:06x}",
        "solar_power": solar_w(seen, now),
        "solar_type": "pv_panel",
        "sync_grid_alert_enabled": False,
        "breaker_alert_enabled": False,
        "components": {
            "battery": False,
            "solar": True,
            "solar_type": "pv_panel",
            "grid": True,
            "load_meter": False,
            "market_type": "residential",
        },
    }


def _retired() -> dict[str, Any]:
    """A site that was taken down, and is listed for ever: its `site_info` fails."""
    unknown = ("energy_left", "total_pack_energy", "percentage_charged", "backup_capable", "battery_power")
    return {
        "energy_site_id": int(RETIRED_ID),
        "resource_type": "battery",
        "site_name": "Taken down",
        "id": "STE20150101-99999",
        "gateway_id": "1118431-01-F--TG00000000RT",
        "asset_site_id": "5a9db0ffffff",
        "warp_site_number": "STE20150101-99999",
        "battery_type": "ac_powerwall",
        **dict.fromkeys(unknown),
        **SETTINGS,
        "components": _battery_components("ac_powerwall"),
    }


def _retail() -> dict[str, Any]:
    """A contract with Tesla as the supplier of electricity: no device at all."""
    flags = {"battery": False, "solar": False, "grid": False, "load_meter": False}
    return {"energy_site_id": int(RETAIL_ID), "components": {**flags, "market_type": "residential"}}


def battery_type(seen: TeslaSite) -> str:
    """The coupling of the batteries: with a solar inverter inside, or on the AC side of another inverter."""
    return "solar_powerwall" if seen.is_its_own_gateway else "ac_powerwall"


def solar_w(seen: TeslaSite, t: float) -> int:
    """W from the panels."""
    return round(seen.view.power_w(None, "pv", t))


def battery_w(seen: TeslaSite, t: float) -> int:
    """W out of the batteries; below 0 while they charge."""
    return round(seen.view.power_w(None, "discharge", t) - seen.view.power_w(None, "charge", t))
