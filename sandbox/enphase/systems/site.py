"""Enphase's view of a site: a microinverter for each panel, batteries of some ten kilowatt-hours, and gateways."""

from dataclasses import dataclass
from functools import cached_property
from math import ceil

from sandbox.dialect import SiteView
from simulation import Device, Site, View

PANEL_W = 350
SYSTEM_ID, SYSTEM_STEP = 698_900_003, 7
MICROS_PER_GATEWAY = 150
ENCHARGE_KWH, ACB_KWH = 10.0, 1.2
# One site still has the older AC Batteries.
WITH_ACBS = 4
# Panels of the second roof face get this much of what the others get.
SECOND_FACE = 0.9


@dataclass(frozen=True)
class EnphaseSite(SiteView):
    """A system. How it is equipped follows from the site's number alone."""

    @property
    def system_id(self) -> int:
        """The number that the Grid Services API calls `site_id`."""
        return int(self.site_id)

    @property
    def is_metered(self) -> bool:
        """Whether it has meters for production and consumption."""
        return self.site.number % 3 == 1

    @property
    def is_older(self) -> bool:
        """Whether it was built before the devices got their present names."""
        return _is_older(self.site)

    @property
    def has_acbs(self) -> bool:
        """Whether its batteries are AC Batteries."""
        return _has_acbs(self.site)

    @property
    def rated_w(self) -> int:
        """The rated power of all batteries together."""
        return round(1000 * self.site.battery.rated_kw) if self.site.battery else 0

    @cached_property
    def gateways(self) -> tuple[str, ...]:
        """Serial numbers of its gateways."""
        count = ceil(len(self.inverters) / MICROS_PER_GATEWAY)
        return tuple(f"{122_000_000_000 + 10 * self.site.number + index}" for index in range(count))

    def gateway_of(self, index: int) -> str:
        """The gateway that the microinverter at that place of the list reports to."""
        return self.gateways[index // MICROS_PER_GATEWAY]


def system(site: Site) -> EnphaseSite:
    """The site as a system."""
    system_id = str(SYSTEM_ID + SYSTEM_STEP * site.number)
    return EnphaseSite(site, system_id, View(site, [*_micros(site, system_id), *_batteries(site, system_id)]))


def _is_older(site: Site) -> bool:
    return site.number % 4 == 3


def _has_acbs(site: Site) -> bool:
    return site.number == WITH_ACBS and site.battery is not None


def _micros(site: Site, system_id: str) -> list[Device]:
    count = max(1, round(1000 * site.pv_kwp / PANEL_W))
    weights = [SECOND_FACE if index % 3 == 2 else 1.0 for index in range(count)]
    total = sum(weights)
    # Serial numbers of older microinverters begin with 0.
    first = (54_000_000_000 if _is_older(site) else 482_000_000_000) + 1000 * site.number
    model = "M250" if _is_older(site) else "IQ7+"
    devices = []
    for index, weight in enumerate(weights):
        serial = f"{first + index:012d}"
        native = {"system_id": system_id, "serial_number": serial}
        devices.append(Device("solar_inverter", weight / total, native, serial, model, f"Microinverter {serial}"))
    return devices


def _batteries(site: Site, system_id: str) -> list[Device]:
    """The model is the product's name: the member `model` of a battery is empty."""
    if site.battery is None:
        return []
    if _has_acbs(site):
        kind, product, first, each_kwh = "AC Battery", "ACB", 911_000_000_000, ACB_KWH
    else:
        kind = "Encharge" if _is_older(site) else "IQ Battery"
        product, first, each_kwh = "IQ Battery 10", 492_000_000_000, ENCHARGE_KWH
    count = ceil(site.battery.capacity_kwh / each_kwh)
    capacity_kwh = site.battery.capacity_kwh / count
    devices = []
    for index in range(count):
        serial = f"{first + 100 * site.number + index}"
        native = {"system_id": system_id, "serial_number": serial}
        name = f"{kind} {serial}"
        devices.append(Device("battery", 1 / count, native, serial, product, name, capacity_kwh=capacity_kwh))
    return devices
