"""SolarEdge: its Monitoring API, version 2."""

from vendors.solaredge.api import SolarEdge

__all__ = ["SolarEdge"]
