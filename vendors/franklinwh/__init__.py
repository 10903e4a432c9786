"""FranklinWH: its partner API, which this server cannot ask yet."""

from vendors.franklinwh.api import FranklinWh

__all__ = ["FranklinWh"]
