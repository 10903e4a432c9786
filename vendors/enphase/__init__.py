"""Enphase: the Monitoring API (`enphase`) and the Grid Services API (`enphasevpp`), which share their shapes."""

from vendors.enphase.monitoring import Enphase
from vendors.enphase.vpp import EnphaseVpp

__all__ = ["Enphase", "EnphaseVpp"]
