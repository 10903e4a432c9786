"""SolarEdge's Monitoring API v2. The paths of v1, which was switched off in November 2026, answer 410."""

from sandbox.solaredge.dialect import SolarEdge

__all__ = ["SolarEdge"]
