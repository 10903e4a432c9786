"""SMA's Monitoring API v1 and its token and consent endpoints; `smasbox` is SMA's own sandbox of the same API.

Read by https://developer.sma.de/sma-apis.html. What is not verified there stands in `sandbox.sma.constants`.
"""

from sandbox.sma.dialect import Sma, SmaSandbox

__all__ = ["Sma", "SmaSandbox"]
