"""SolarEdge: its Monitoring API, version 2.

Besides the rooms of every plugin: `telemetry`, the calls for series, some of which single reads make as well.
"""

from vendors.solaredge.api import SolarEdge

__all__ = ["SolarEdge"]
