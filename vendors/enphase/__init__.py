"""Enphase: the Monitoring API (`enphase`) and the Grid Services API (`enphasevpp`), which share their shapes.

`api` has the calls that both have in common, `monitoring` and `vpp` the class of each.
"""

from vendors.enphase.monitoring import Enphase
from vendors.enphase.vpp import EnphaseVpp

__all__ = ["Enphase", "EnphaseVpp"]
