"""SMA: its Monitoring API, and the public sandbox of it as `smasbox`."""

from vendors.sma.api import Sma

__all__ = ["Sma"]
