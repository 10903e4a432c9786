"""One row of a history: energies in Wh between two instants, split by origin and destination."""

from typing import Any

from sandbox.tesla.sites import TeslaSite
from simulation import flows_wh

# No site has a generator, or sells services to the grid.
NOTHING = {
    "generator_energy_exported": 0,
    "grid_services_energy_imported": 0,
    "grid_services_energy_exported": 0,
    "grid_energy_exported_from_generator": 0,
    "battery_energy_imported_from_generator": 0,
    "consumer_energy_imported_from_generator": 0,
}
# Sum: what the keys of its parts begin with.
SUMS = {
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
        for name, prefix in SUMS.items():
            total = sum(value for key, value in energies.items() if key.startswith(prefix))
            if total or not is_dark:
                energies[name] = total
    return {name: int(value) if value == int(value) else value for name, value in energies.items()}


def _energies(seen: TeslaSite, start: float, end: float) -> dict[str, float]:
    """Each flow once, and the sums that stand next to them in every row."""
    flows = flows_wh(seen.view, start, end)
    return {
        "solar_energy_exported": flows.pv_to_battery + flows.pv_to_load + flows.pv_to_grid,
        "grid_energy_imported": flows.imported,
        "grid_energy_exported_from_solar": flows.pv_to_grid,
        "grid_energy_exported_from_battery": flows.battery_to_grid,
        "battery_energy_exported": flows.battery_to_load + flows.battery_to_grid,
        "battery_energy_imported_from_grid": flows.grid_to_battery,
        "battery_energy_imported_from_solar": flows.pv_to_battery,
        "consumer_energy_imported_from_grid": flows.grid_to_load,
        "consumer_energy_imported_from_solar": flows.pv_to_load,
        "consumer_energy_imported_from_battery": flows.battery_to_load,
        **NOTHING,
    }
