"""The flows of energy between the panels, the battery, the load and the grid of a site."""

from math import floor
from typing import NamedTuple

from simulation.battery import SAVINGS
from simulation.site import Site
from simulation.view import View

# The counter of the load has steps that a float holds exactly, so that sums of its rows do too.
LOAD_STEPS_PER_WH = 32


class SiteFlows(NamedTuple):
    """Energies of a span in Wh; each part of the energy is in exactly one of them."""

    pv_to_battery: float
    pv_to_load: float
    pv_to_grid: float
    battery_to_load: float
    battery_to_grid: float
    grid_to_battery: float
    grid_to_load: float

    @property
    def imported(self) -> float:
        """Energy taken from the grid."""
        return self.grid_to_battery + self.grid_to_load

    @property
    def exported(self) -> float:
        """Energy fed into the grid."""
        return self.pv_to_grid + self.battery_to_grid


def flows_wh(view: View, start: float, end: float) -> SiteFlows:
    """The flows between two instants, as a vendor's counters have them.

    The battery serves the load first; the panels serve the battery, then the load, then the grid. A battery that is
    run for savings charges at night by the tariff, from the grid, unless it is commanded.
    """
    pv, charge, discharge = (view.site_energy_wh(quantity, start, end) for quantity in ("pv", "charge", "discharge"))
    load = load_reading_wh(view.site, end) - load_reading_wh(view.site, start)
    pv_to_battery = 0 if _goes_by_tariff(view.site, start, end) else min(pv, charge)
    battery_to_load = min(discharge, load)
    pv_to_load = min(pv - pv_to_battery, load - battery_to_load)
    return SiteFlows(
        pv_to_battery=pv_to_battery,
        pv_to_load=pv_to_load,
        pv_to_grid=pv - pv_to_battery - pv_to_load,
        battery_to_load=battery_to_load,
        battery_to_grid=discharge - battery_to_load,
        grid_to_battery=charge - pv_to_battery,
        grid_to_load=load - battery_to_load - pv_to_load,
    )


def _goes_by_tariff(site: Site, start: float, end: float) -> bool:
    is_commanded = any(command.start < end and start < command.end for command in site.commands)
    return site.battery is not None and site.battery.mode == SAVINGS and not is_commanded


def load_reading_wh(site: Site, t: float) -> float:
    """The counter of the site's load."""
    return floor(1000 * LOAD_STEPS_PER_WH * site.load_kwh(t)) / LOAD_STEPS_PER_WH
