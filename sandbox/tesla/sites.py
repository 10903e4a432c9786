"""Tesla's view of a site: a gateway, batteries and inverters with a DIN, or only flags that such devices exist.

DINs are `<part number>--<serial number>`. A gateway and its batteries may carry one serial number, as in captures.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sandbox.dialect import SiteView
from sandbox.tesla.constants import PACK_NAME, POWERWALL_3_W
from simulation import Device, Site, View

SITE_ID = 2_252_147_600_000_000
SITE_STEP = 1_009
# Beyond the sites: those that are listed but have nothing to show.
RETAIL_NUMBER, RETIRED_NUMBER = -1, -2
SHARES = {1: (1.0,), 2: (0.6, 0.4)}
GATEWAY = ("1152100-14-J", "Tesla Backup Gateway 2", 10)
INVERTER = ("1530000-00-F", "Non-TeslaInverter", 7)
POWERWALL_2 = (("2012170-25-E", "Powerwall 2", 2), ("3012170-05-B", "Powerwall 2", 2))
POWERWALL_3_PART = ("1707000-11-J", "Powerwall 3", 4)
PACK = ("1807000-20-B", PACK_NAME, 2)
MAX_W_PER_WH = 0.37

# How site_info lists the devices of a site with a battery, by the number of the site.
TWO_OF_EACH, WITHOUT_ARRAYS, POWERWALL_3, WITH_A_REPLACED_INVERTER, POWERWALL_3_AND_A_PACK, ONE_OF_EACH = range(6)
LAYOUTS = {
    2: TWO_OF_EACH,
    3: WITHOUT_ARRAYS,
    4: POWERWALL_3,
    5: WITH_A_REPLACED_INVERTER,
    6: POWERWALL_3_AND_A_PACK,
}


@dataclass(frozen=True)
class TeslaSite(SiteView):
    """A site as Tesla shows it.

    uid: its id as texts have it. arrays: the device arrays of `components`, empty for sites without.
    """

    uid: str
    gateway: str
    arrays: dict[str, list[dict[str, Any]]]

    @property
    def capacity_wh(self) -> int:
        """The nameplate energy of all batteries."""
        return sum(round(1000 * (battery.capacity_kwh or 0.0)) for battery in self.batteries)

    @property
    def max_w(self) -> int:
        """The nameplate power of all batteries."""
        return POWERWALL_3_W if self.is_its_own_gateway else _max_w(self.capacity_wh)

    @property
    def is_its_own_gateway(self) -> bool:
        """Whether its battery is a Powerwall 3, which is the gateway as well."""
        return any(battery.model == POWERWALL_3_PART[1] for battery in self.batteries)

    @property
    def wall_connectors(self) -> list[dict[str, Any]]:
        """Chargers of vehicles: at some sites one, which is no solar device."""
        if not self.batteries or self.site.number % 3:
            return []
        serial = f"PGT{self.site.number:07d}W"
        return [{"device_id": _uuid("connector", self.site), "din": f"1529455-02-D--{serial}", "is_active": True}]


@dataclass
class _Equipment:
    """The device arrays of one site in the making, and those among the devices that carry energy."""

    site: Site
    arrays: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)

    def add(self, array: str, part: tuple[str, str, int], serial: str) -> dict[str, Any]:
        """One more component."""
        number, name, kind = part
        entries = self.arrays.setdefault(array, [])
        entry: dict[str, Any] = {
            "device_id": _uuid(f"{array}-{len(entries)}", self.site),
            "din": f"{number}--{serial}",
            "part_number": number,
            "part_type": kind,
            "part_name": name,
        }
        entries.append(entry)
        return entry

    def add_gateway(self, serial: str) -> str:
        """The gateway; returns its DIN."""
        return str(self._add_gateway(GATEWAY, serial)["din"])

    def add_powerwall_3(self, serial: str, capacity_kwh: float) -> str:
        """A unit that is gateway, inverter and battery; returns its DIN."""
        entry = self._add_gateway(POWERWALL_3_PART, serial)
        capacity_wh = round(1000 * capacity_kwh)
        entry |= {"nameplate_power_watts": float(POWERWALL_3_W), "nameplate_energy_watts": float(capacity_wh)}
        self.devices.append(self._device("solar_inverter", 1.0, entry, serial))
        self.devices.append(self._device("battery", 1.0, entry, serial, capacity_kwh=capacity_wh / 1000))
        return str(entry["din"])

    def add_pack(self, serial: str) -> None:
        """An expansion pack: no device, since what is known of it is its Powerwall 3's."""
        entry = self.add("batteries", PACK, serial)
        entry |= {"serial_number": serial, "is_active": True, "nameplate_energy": 0}
        entry |= {f"nameplate_max_{flow}_power": 0 for flow in ("charge", "discharge")}

    def _add_gateway(self, part: tuple[str, str, int], serial: str) -> dict[str, Any]:
        entry = self.add("gateways", part, serial)
        entry |= {"serial_number": serial, "is_active": True, "site_id": _uuid("site", self.site)}
        entry |= {"firmware_version": "26.36.0 0fe780c9", "updated_datetime": "2026-05-14T00:00:00.000Z"}
        return entry

    def add_inverter(self, part: tuple[str, str, int], serial: str, share: float) -> None:
        """An inverter. It has no member for its serial number, which is the second half of its DIN."""
        entry = self.add("inverters", part, serial)
        entry |= {"is_active": True, "site_id": _uuid("site", self.site)}
        self.devices.append(self._device("solar_inverter", share, entry, serial))

    def add_battery(self, part: tuple[str, str, int], serial: str, share: float) -> None:
        """A battery with its part of the site's capacity."""
        entry = self.add("batteries", part, serial)
        capacity_wh = round(1000 * self.site.battery.capacity_kwh * share) if self.site.battery else 0
        entry |= {"serial_number": serial, "nameplate_energy": capacity_wh}
        entry |= {f"nameplate_max_{flow}_power": _max_w(capacity_wh) for flow in ("charge", "discharge")}
        self.devices.append(self._device("battery", share, entry, serial, capacity_kwh=capacity_wh / 1000))

    def _device(self, kind: str, share: float, entry: dict[str, Any], serial: str, **size: float) -> Device:
        native = {"energy_site_id": site_id(self.site.number), "din": entry["din"]}
        return Device(kind, share, native, serial, entry["part_name"], "", **size)


def site_id(number: int) -> str:
    """The `energy_site_id` as text."""
    return str(SITE_ID + SITE_STEP * (number + 3))


RETAIL_ID, RETIRED_ID = site_id(RETAIL_NUMBER), site_id(RETIRED_NUMBER)


def site_view(site: Site) -> TeslaSite:
    """The site in Tesla's eyes."""
    equipment, gateway = _Equipment(site), ""
    if site.battery is not None:
        gateway = _fill(equipment, site.battery.capacity_kwh, LAYOUTS.get(site.number % 8, ONE_OF_EACH))
    devices = equipment.devices or _synthetic(site)
    return TeslaSite(site, site_id(site.number), View(site, devices), _uid(site), gateway, equipment.arrays)


def _fill(equipment: _Equipment, capacity_kwh: float, layout: int) -> str:
    """The devices of a site with a battery; returns the DIN of its gateway, which stands alone in some captures."""
    number = equipment.site.number
    serial = f"TG{number:08d}GW"
    if layout == WITHOUT_ARRAYS:
        return f"{GATEWAY[0]}--{serial}"
    if layout in (POWERWALL_3, POWERWALL_3_AND_A_PACK):
        if layout == POWERWALL_3_AND_A_PACK:
            equipment.add_pack(f"TG{number:08d}X0")
        return equipment.add_powerwall_3(f"TG{number:08d}P3", capacity_kwh)
    count = 2 if layout == TWO_OF_EACH else 1
    gateway = equipment.add_gateway(serial)
    for index, share in enumerate(SHARES[count]):
        equipment.add_inverter(INVERTER, f"CN{number:08d}V{index}", share)
    for part in POWERWALL_2[:count]:
        equipment.add_battery(part, serial if count == 2 else f"TG{number:08d}B0", 1 / count)
    if layout == WITH_A_REPLACED_INVERTER:
        replaced = equipment.add("inverters", INVERTER, f"CN{number:08d}V9")
        replaced |= {"is_active": False, "site_id": _uuid("site", equipment.site)}
    return gateway


def _synthetic(site: Site) -> list[Device]:
    """One inverter and, if its flag is set, one battery: the devices of a site without device arrays."""
    native = {"energy_site_id": site_id(site.number)}
    devices = [Device("solar_inverter", 1.0, native, None, "", "")]
    if site.battery is not None:
        devices.append(Device("battery", 1.0, native, None, "", "", capacity_kwh=site.battery.capacity_kwh))
    return devices


def _uid(site: Site) -> str:
    return f"STE{20_200_101 + site.number}-{site.number:05d}" if site.battery else _uuid("solar", site)


def _uuid(what: str, site: Site) -> str:
    return str(uuid5(NAMESPACE_URL, f"https://example.invalid/tesla/{site.seed}/{site.number}/{what}"))


def _max_w(capacity_wh: int) -> int:
    return 100 * round(capacity_wh * MAX_W_PER_WH / 100)
