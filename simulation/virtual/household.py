"""The panels and loads behind a virtual battery: they limit commands such as to charge from PV alone.

They follow from the battery, not from other devices, which may be added to its site or deleted.
"""

from dataclasses import dataclass

from simulation.load import load_kwh
from simulation.sun import solar_day
from simulation.virtual.device_day import Seed, between, device_day
from simulation.virtual.year import Yield

# Of each kWh of the battery's nameplate.
LOAD_KWH_PER_DAY = 2.5


@dataclass(frozen=True)
class Household:
    """Counters in kWh of panels of this peak power under a sky, and of the loads."""

    seed: Seed
    panels: Yield
    pv_kwp: float
    load_kwh_per_day: float

    def pv_kwh(self, t: float) -> float:
        """Energy of the panels since the beginning of 2014."""
        day = device_day(self.panels, self.seed, solar_day(t, self.panels.sky.longitude))
        return self.pv_kwp * between(day.before, day.after, day.share(t))

    def load_kwh(self, t: float) -> float:
        """Energy drawn since the beginning of 1970."""
        return load_kwh(t, self.panels.sky.longitude, self.load_kwh_per_day)
