"""One row of a history: energies in Wh between two instants, split by where they came from and went."""

from math import floor
from typing import Any

from sandbox.tesla.sites import TeslaSite

# The household's counter has fractions that a float holds exactly.
_STEPS_PER_KWH, _STEPS_PER_WH = 32_000, 32
# No site has a generator, or sells services to the grid.
_NOTHING = {
    "generator_energy_exported": 0,
    "grid_services_energy_imported": 0,
    "grid_services_energy_exported": 0,
    "grid_energy_exported_from_generator": 0,
    "battery_energy_imported_from_generator": 0,
    "consumer_energy_imported_from_generator": 0,
}
# Sum: what the keys of its parts begin with.
_SUMS = {
    "total_home_usage": "consumer_energy_imported_from_",
    "total_battery_charge": "battery_energy_imported_from_",
    "total_battery_discharge": "battery_energy_exported",
    "total_solar_generation": "solar_energy_exported",
    "total_grid_energy_exported": "grid_energy_exported_from_",
}


def row(seen: TeslaSite, start: float, end: float, *, with_sums: bool) -> dict[str, Any]:
    """The energies. Without sun, a sum of nothing is left out, as captured at night."""
    energies = _energies(seen, start, end)
    if with_sums:
        is_dark = not energies["solar_energy_exported"]
        for name, prefix in _SUMS.items():
            total = sum(value for key, value in energies.items() if key.startswith(prefix))
            if total or not is_dark:
                energies[name] = total
    return {name: int(value) if value == int(value) else value for name, value in energies.items()}


def _energies(seen: TeslaSite, start: float, end: float) -> dict[str, float]:
    """Each flow once: the battery serves the home first, the sun the battery, then the home, then the grid."""
    solar, charge, discharge = (seen.view.site_energy_wh(kind, start, end) for kind in ("pv", "charge", "discharge"))
    load = _load_wh(seen, end) - _load_wh(seen, start)
    battery = seen.site.battery
    # Savings charges by the tariff, at night, from the grid.
    solar_to_battery = 0 if battery and battery.mode == "Savings" else min(solar, charge)
    battery_to_home = min(discharge, load)
    solar_to_home = min(solar - solar_to_battery, load - battery_to_home)
    grid_to_battery, grid_to_home = charge - solar_to_battery, load - battery_to_home - solar_to_home
    return {
        "solar_energy_exported": solar,
        "grid_energy_imported": grid_to_battery + grid_to_home,
        "grid_energy_exported_from_solar": solar - solar_to_battery - solar_to_home,
        "grid_energy_exported_from_battery": discharge - battery_to_home,
        "battery_energy_exported": discharge,
        "battery_energy_imported_from_grid": grid_to_battery,
        "battery_energy_imported_from_solar": solar_to_battery,
        "consumer_energy_imported_from_grid": grid_to_home,
        "consumer_energy_imported_from_solar": solar_to_home,
        "consumer_energy_imported_from_battery": battery_to_home,
        **_NOTHING,
    }


def _load_wh(seen: TeslaSite, t: float) -> float:
    return floor(_STEPS_PER_KWH * seen.site.load_kwh(t)) / _STEPS_PER_WH
