"""Enphase's Monitoring API v4 and its token endpoint.

Read by https://developer-v4.enphase.com/docs/monitoring_api. What is not verified there stands in
`sandbox.enphase.constants` and `sandbox.enphase.systems.constants`.
"""

from sandbox.enphase.dialect import Enphase

__all__ = ["Enphase"]
