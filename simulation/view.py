"""A site as one vendor sees it: devices that share its energy, and counters in steps.

Counters are rounded, not rows: a row is the difference of two readings. So readings never fall, devices add
up to the site exactly, and any number of rows stays within one step per device.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, fsum, isclose

from simulation.site import Site

SOLAR_INVERTER = "solar_inverter"
BATTERY = "battery"
KIND_OF = {"pv": SOLAR_INVERTER, "charge": BATTERY, "discharge": BATTERY}


@dataclass(frozen=True)
class Device:
    """A device as one vendor shows it.

    kind: "solar_inverter" or "battery". share: its part of the site's PV, or of the battery's flows.
    native: the parts of its id in that vendor's dialect.
    """

    kind: str
    share: float
    native: Mapping[str, str] = field(hash=False)
    serial: str | None
    model: str
    name: str
    rated_kw: float | None = None
    capacity_kwh: float | None = None


class View:
    """The readings of a site's devices. Quantities are "pv", "charge" and "discharge"."""

    def __init__(self, site: Site, devices: Sequence[Device], step_wh: int = 1) -> None:
        self.site = site
        self.devices = tuple(devices)
        self.step_wh = step_wh
        self._energy: dict[str, Callable[[float], float]] = {
            "pv": site.pv_kwh,
            "charge": site.charge_kwh,
            "discharge": site.discharge_kwh,
        }
        # Devices of one share read alike, and a roof may have hundreds of them.
        self._alike: dict[str, tuple[tuple[Device, int], ...]] = {}
        for kind in (SOLAR_INVERTER, BATTERY):
            shares = [device.share for device in self.devices if device.kind == kind]
            if shares and not isclose(fsum(shares), 1.0, abs_tol=1e-9):
                raise ValueError(f"shares of {kind} devices of {site.name} add up to {fsum(shares)}, not 1")
            one_each = {device.share: device for device in self.devices if device.kind == kind}
            self._alike[kind] = tuple((one_each[share], count) for share, count in Counter(shares).items())

    def reading_wh(self, device: Device, quantity: str, t: float, step_wh: int | None = None) -> int:
        """The device's counter: Wh since the site became operational, in whole steps."""
        self._demand(device, quantity)
        step = step_wh or self.step_wh
        return step * floor(self._energy[quantity](t) * device.share * 1000 / step)

    def energy_wh(self, device: Device, quantity: str, start: float, end: float) -> int:
        """Difference of the device's readings at the two instants."""
        return self.reading_wh(device, quantity, end) - self.reading_wh(device, quantity, start)

    def site_reading_wh(self, quantity: str, t: float) -> int:
        """Sum of the readings of the devices that have the quantity."""
        return sum(count * self.reading_wh(device, quantity, t) for device, count in self._alike[KIND_OF[quantity]])

    def site_energy_wh(self, quantity: str, start: float, end: float) -> int:
        """Difference of the site's readings at the two instants."""
        return self.site_reading_wh(quantity, end) - self.site_reading_wh(quantity, start)

    def power_w(self, device: Device | None, quantity: str, t: float, over: float = 300) -> float:
        """Mean power in W of the `over` seconds that end at the instant; None stands for all devices."""
        if device is not None:
            self._demand(device, quantity)
        alike = self._alike[KIND_OF[quantity]] if device is None else ((device, 1),)
        share = fsum(count * device.share for device, count in alike)
        energy = self._energy[quantity]
        return (energy(t) - energy(t - over)) * share * 3_600_000 / over

    def _demand(self, device: Device, quantity: str) -> None:
        if KIND_OF.get(quantity) != device.kind:
            raise ValueError(f"a {device.kind} has no quantity {quantity!r}")
