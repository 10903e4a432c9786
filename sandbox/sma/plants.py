"""SMA's view of a site: a plant with inverters, a battery inverter, and devices that are neither.

In both editions serial numbers repeat from one plant to the next, and a charging station goes by the type of an
inverter without a generator power, as in captures of SMA's sandbox.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from sandbox.dialect import SiteView
from simulation import Device, Site, View

SHARES = {1: (1.0,), 2: (0.6, 0.4), 3: (0.5, 0.3, 0.2)}
PRODUCTS = ((3.6, "SB3.6-1AV-40", 9320), (4.0, "SB4.0-1AV-41", 9403), (5.0, "STP 5000TL-20", 9098))
LARGEST = ("STP 6000TL-20", 9099)
VENDOR = "SMA Solar Technology AG"
# SMA's sandbox: plants 13, 24, 35 ..., ten devices each.
SANDBOX_FIRST, SANDBOX_STEP = 13, 11
PLANT_FIRST, PLANT_STEP = 11_260_000, 16


@dataclass
class Equipment:
    """The devices of one plant in the making: list entries in order, and those among them that carry energy."""

    plant_id: int
    next_id: int
    group: int
    entries: list[dict[str, Any]] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)

    def add(self, name: str, kind: str, product: str, product_id: int, serial: int | None) -> dict[str, Any]:
        """One more device; members that it does not have are left out."""
        entry: dict[str, Any] = {
            "deviceId": str(self.next_id),
            "name": name,
            "type": kind,
            "product": product,
            "productId": product_id,
        }
        if serial is not None:
            entry["serial"] = str(serial)
        entry |= {"vendor": VENDOR, "isActive": True}
        self.entries.append(entry)
        self.next_id += 1
        return entry

    def add_inverter(self, site: Site, name: str, serial: int, share: float) -> None:
        """An inverter with its share of the plant's generator."""
        kw = round(site.pv_kwp * share, 1)
        product, product_id = next(((name, number) for most, name, number in PRODUCTS if kw <= most), LARGEST)
        entry = self.add(name, "Solar Inverters", product, product_id, serial)
        entry |= {"generatorPower": 1000 * kw, "generatorPowerDc": 1000 * kw}
        self.devices.append(self._device("solar_inverter", share, entry, rated_kw=kw))

    def add_battery(self, site: Site, name: str, serial: int) -> None:
        """The battery inverter that stands for the pack, where the site has one."""
        if site.battery is None:
            return
        entry = self.add(name, "Battery Inverter", "SBS6.0-10", 9359, serial)
        self.devices.append(self._device("battery", 1.0, entry, capacity_kwh=site.battery.capacity_kwh))

    def _device(self, kind: str, share: float, entry: dict[str, Any], **size: float) -> Device:
        native = {"plantId": str(self.plant_id), "deviceId": entry["deviceId"]}
        return Device(kind, share, native, entry["serial"], entry["product"], entry["name"], **size)


def production(site: Site) -> Equipment:
    """A plant of the production cloud. Its first device carries the plant's own number, as seen there."""
    plant_id = PLANT_FIRST + PLANT_STEP * site.number
    equipment = Equipment(plant_id, plant_id, 10 * (site.number // 2))
    equipment.add("Data Manager", "Monitoring and control", "EDMM-10", 9397, 3_010_000_000 + site.number)
    for index, share in enumerate(SHARES[1 if site.pv_kwp <= 6 else 2 if site.pv_kwp <= 12 else 3]):
        serial = 2_001_500_000 + equipment.group + index
        equipment.add_inverter(site, f"WR{index + 1} SN:{serial}", serial, share)
    equipment.add_battery(site, "Battery", 2_002_500_000 + equipment.group)
    equipment.add("Energy Meter", "Monitoring and control", "Energy Meter", 9307, 1_900_300_000 + equipment.group)
    equipment.add("EV Charger ", "Solar Inverters", "EVC22-3AC-10", 9417, 3_007_600_000 + equipment.group)
    if site.number % 4 == 1:
        retired = equipment.add(
            "Old inverter", "Solar Inverters", "SB 3000TL-30", 9103, 2_000_100_000 + equipment.group
        )
        retired |= {"isActive": False, "deactivatedAt": "2019-04-07T12:30:02"}
        retired |= {"generatorPower": 3000.0, "generatorPowerDc": 3000.0}
    return equipment


def sandbox(site: Site) -> Equipment:
    """A plant of SMA's sandbox: always the same devices under the same names, ids that follow the plant's."""
    plant_id = SANDBOX_FIRST + SANDBOX_STEP * site.number
    equipment = Equipment(plant_id, plant_id + 1, 10 * (site.number // 2))
    serial = 3_420_000 + equipment.group
    equipment.add("Satellit Sensor", "Sensor technology", "Satellite Sensor", 200_053, None)
    equipment.add(
        f"MyTestLdm{site.number + 1}", "Monitoring and control", "EDMM-10", 9397, 234_530_000_000 + site.number
    )
    names = ("My Inverter 1", "My Inverter 2", "My Falcon 3")
    for index, (name, share) in enumerate(zip(names, SHARES[3], strict=True)):
        equipment.add_inverter(site, name, serial + index, share)
    equipment.add_battery(site, "My Battery 1", serial + 3)
    equipment.add("My Energy Meter 1", "Monitoring and control", "Energy Meter", 9307, serial + 4)
    equipment.add("My Gas Meter 1", "Monitoring and control", "Energy Meter", 9307, serial + 5)
    equipment.add("My Consumer 1", "Monitoring and control", "Remote Socket", 9111, serial + 6)
    equipment.add("My ChargingStation 1", "Solar Inverters", "STP50-41", 9380, serial + 7)
    return equipment


@dataclass(frozen=True)
class Plant(SiteView):
    """A site as SMA shows it: with the list entries of all its devices, by id."""

    entries: dict[str, dict[str, Any]]

    @property
    def head(self) -> dict[str, Any]:
        """The plant as it stands in every answer. Some names end in a blank, as installers type them."""
        name = self.site.name + (" " if self.site.number % 4 == 3 else "")
        return {"plantId": self.site_id, "name": name, "timezone": self.site.place.timezone}

    def device(self, device_id: str) -> Device | None:
        """The device if it carries energy."""
        return next((device for device in self.view.devices if device.native["deviceId"] == device_id), None)

    def listed(self, with_deactivated: bool) -> Iterator[dict[str, Any]]:
        """The list entries."""
        return (entry for entry in self.entries.values() if with_deactivated or entry["isActive"])


def plant(site: Site, equipment: Equipment) -> Plant:
    """The plant with that equipment."""
    entries = {entry["deviceId"]: entry for entry in equipment.entries}
    return Plant(site, str(equipment.plant_id), View(site, equipment.devices), entries)


def installation(site: Site) -> dict[str, Any]:
    """The member `installation`, which lists give on request."""
    peak_w = round(1000 * site.pv_kwp, 1)
    return {
        "peakPower": peak_w,
        "acNominalPower": peak_w,
        "calcAcNominalPower": peak_w,
        "dcPowerInputMax": peak_w,
        "co2SavingsFactor": 400,
        "startUpUtc": start_up_utc(site),
        "orientation": {},
    }


def location(site: Site) -> dict[str, Any]:
    """The member `location`, which lists give on request."""
    place = site.place
    return {"address": {"city": place.name, "longitude": place.longitude, "latitude": place.latitude}}


def start_up_utc(site: Site) -> str:
    """When the plant went into service, in UTC without an offset."""
    return site.operational_since.astimezone(UTC).replace(tzinfo=None).isoformat()
