"""The values of a series: null where nothing is known, in a unit that grows with them."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.solaredge.buckets import Window
from sandbox.solaredge.constants import KILO_FROM, LAG_SECONDS, MEGA_FROM
from sandbox.solaredge.sites import SolarEdgeSite
from sandbox.times import local
from simulation import Device

Values = list[float | None]
FACTORS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9}
UNITS = {prefix + base for prefix in FACTORS for base in ("W", "WH")}
QUARTER_SECONDS = 900
# Buckets that are no longer than this can be dark as a whole.
LONGEST_DARK_SECONDS = 5400


@dataclass(frozen=True)
class Reader:
    """The values of a site, or of one device of it, over a window."""

    seen: SolarEdgeSite
    window: Window
    now: float

    @property
    def _ready(self) -> float:
        """The end of the last quarter that the cloud has."""
        return QUARTER_SECONDS * ((self.now - LAG_SECONDS) // QUARTER_SECONDS)

    def energy(self, quantity: str, device: Device | None) -> Values:
        """Wh of each bucket; running days and longer ones hold what there is."""
        return [self._known(start, end, quantity, device) for start, end in self.window.buckets()]

    def power(self, quantity: str, device: Device | None) -> Values:
        """Mean W of each bucket."""
        buckets = list(self.window.buckets())
        energies = self.energy(quantity, device)
        hours = [(min(end, self._ready) - start) / 3600 for start, end in buckets]
        return [None if wh is None else round(wh / span, 6) for wh, span in zip(energies, hours, strict=True)]

    def states(self, percent_to_value: Callable[[float], float]) -> Values:
        """A value made of the state of charge at the end of each bucket."""
        return [self._state(end, percent_to_value) for _, end in self.window.buckets()]

    def stamps(self) -> list[str]:
        """The start of each bucket, with the site's offset."""
        return [local(start, self.window.zone).isoformat() for start, _ in self.window.buckets()]

    def _known(self, start: float, end: float, quantity: str, device: Device | None) -> float | None:
        until = min(end, self._ready)
        is_running_quarter = self.window.resolution == "QUARTER_HOUR" and end > self._ready
        if until <= start or is_running_quarter or end <= self._begun:
            return None
        if quantity == "pv" and self._is_deep_night(start, end):
            return None
        view = self.seen.view
        if device is None:
            return float(view.site_energy_wh(quantity, start, until))
        return float(view.energy_wh(device, quantity, start, until))

    def _is_deep_night(self, start: float, end: float) -> bool:
        """No sun in this short bucket nor in its neighbours. The dark buckets next to the day are 0, not null."""
        if end - start > LONGEST_DARK_SECONDS:
            return False
        span = end - start
        return self.seen.site.pv_kwh(start - span) >= self.seen.site.pv_kwh(end + span)

    def _state(self, end: float, percent_to_value: Callable[[float], float]) -> float | None:
        percent = self.seen.site.soc_percent(min(end, self._ready))
        if percent is None or (self.window.resolution == "QUARTER_HOUR" and end > self._ready):
            return None
        return round(percent_to_value(percent), 3)

    @property
    def _begun(self) -> float:
        return self.seen.site.operational_since.timestamp()


def in_unit(values: Values, base: str, asked: str = "") -> tuple[str, Values]:
    """The unit, and the values in it: the one asked for, else the one that suits the largest value.

    A unit of power does not bear on energies, nor the other way round. Raises ValueError for an unknown unit.
    """
    if asked and asked not in UNITS:
        raise ValueError(asked)
    if base == "PERCENTAGE":
        return base, values
    if asked.endswith(base):
        prefix = asked.removesuffix(base)
    else:
        most = max((abs(value) for value in values if value is not None), default=0.0)
        prefix = "M" if most >= MEGA_FROM else "K" if most >= KILO_FROM else ""
    factor = FACTORS[prefix]
    return prefix + base, [None if value is None else value / factor for value in values]
