"""The physics of a fleet of solar sites: sun, PV, batteries and loads, in closed form.

Every quantity is a cumulative energy C(t) that can be asked for at any instant since 2015 without
stored series; the energy of an interval is C(end) - C(start), so quarters, days, months and lifetimes
agree by construction. Only what a battery does after a command is computed in steps. All instants are
epoch seconds. Nothing here knows a vendor.
"""

from simulation.battery import Battery
from simulation.commands import BatteryCommand, CommandMode
from simulation.fleet import Fleet
from simulation.flows import SiteFlows, flows_wh, load_reading_wh
from simulation.places import PLACES, Place
from simulation.site import Site
from simulation.view import Device, View

__all__ = [
    "PLACES",
    "Battery",
    "BatteryCommand",
    "CommandMode",
    "Device",
    "Fleet",
    "Place",
    "Site",
    "SiteFlows",
    "View",
    "flows_wh",
    "load_reading_wh",
]
