"""SolarEdge: its Monitoring API, version 2."""

from vendors.solaredge.monitoring import SolarEdge

__all__ = ["SolarEdge"]
