"""Virtual devices: energy at any coordinates, from the device's seed alone.

In contrast to the fleet of the sandbox, whose sites share two dozen places, each device may stand anywhere. The sum
of a whole year is known before its days are, so that no read sums over more than one year, and the caches are
bounded. All instants are epoch seconds.
"""

from simulation.virtual.plausible_fleet import BatteryPlan, InverterPlan, SitePlan, plausible_fleet, plausible_sites
from simulation.virtual.solar_array import SolarArray
from simulation.virtual.storage_unit import StorageFlows, StoragePower, StorageUnit

__all__ = [
    "BatteryPlan",
    "InverterPlan",
    "SitePlan",
    "SolarArray",
    "StorageFlows",
    "StoragePower",
    "StorageUnit",
    "plausible_fleet",
    "plausible_sites",
]
