"""SolarEdge: its Monitoring API, version 2.

Besides the rooms of every plugin: `state` (powers, charge and alerts of a single read) and `telemetry` (the calls for
series, of which single reads make some as well).
"""

from vendors.solaredge.api import SolarEdge

__all__ = ["SolarEdge"]
