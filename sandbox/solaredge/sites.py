"""SolarEdge's view of a site: inverters with a checksum in their serial number, separate batteries, one meter."""

from dataclasses import dataclass
from typing import Any

from sandbox.dialect import SiteView
from sandbox.solaredge.constants import LIST_HAS_TIMEZONE, NAMEPLATE_EVERY, NAMEPLATE_PER_KILO
from sandbox.times import zone_of
from simulation import Device, Site, View

SITE_ID = 1_000_001
SHARES = {1: (1.0,), 2: (0.7, 0.3), 3: (0.45, 0.3, 0.25)}
BATTERY_SHARES = {1: (1.0,), 2: (0.5, 0.5)}
PART = "-RW000BNN4"
BIG_BATTERY_KWH = 10.0


@dataclass(frozen=True)
class SolarEdgeSite(SiteView):
    """A site as SolarEdge shows it, with its devices by type."""

    listed: tuple[dict[str, Any], ...]
    meter: str

    def of_kind(self, kind: str, serial: str) -> Device | None:
        """The inverter or battery with that serial number."""
        return next((device for device in self.view.devices if device.kind == kind and device.serial == serial), None)


def inverter_serial(number: int) -> str:
    """Eight hexadecimal digits and the sum of their four bytes."""
    raw = 0x7E100000 + 41 * number
    return f"{raw:08X}-{sum(raw.to_bytes(4)) % 256:02X}"


def site_id(number: int) -> str:
    """The `siteId` as text."""
    return str(SITE_ID + 13 * number)


def site_view(site: Site) -> SolarEdgeSite:
    """The site in SolarEdge's eyes."""
    key = site_id(site.number)
    devices = [*_inverters(site, key), *_batteries(site, key)]
    meter = f"M-PROD-{site.number:04d}"
    listed = (*(_entry(site, device) for device in devices), _meter(site, meter))
    return SolarEdgeSite(site, key, View(site, devices), listed, meter)


def _inverters(site: Site, key: str) -> list[Device]:
    inverters = []
    for index, share in enumerate(SHARES[1 + (site.number + 1) % 3]):
        kw = round(site.pv_kwp * share, 1)
        serial = inverter_serial(4 * site.number + index)
        native = {"siteId": key, "serialNumber": serial}
        name = f"Inverter {index + 1}"
        # Some inverters come without a model, as captured live: then the part number is all that tells it.
        model = f"SE{1000 * kw:.0f}H{PART if site.number % 2 else ''}"
        inverters.append(Device("solar_inverter", share, native, serial, model, name, rated_kw=kw))
    return inverters


def _batteries(site: Site, key: str) -> list[Device]:
    if site.battery is None:
        return []
    batteries = []
    for index, share in enumerate(BATTERY_SHARES[2 if site.battery.capacity_kwh > BIG_BATTERY_KWH else 1]):
        serial = f"BATT-{2 * site.number + index:06d}"
        native = {"siteId": key, "serialNumber": serial}
        kwh = round(site.battery.capacity_kwh * share, 2)
        batteries.append(
            Device("battery", share, native, serial, "Home Battery", f"Battery {index + 1}", capacity_kwh=kwh)
        )
    return batteries


def _entry(site: Site, device: Device) -> dict[str, Any]:
    """A device as it is listed."""
    is_inverter = device.kind == "solar_inverter"
    entry: dict[str, Any] = {
        "type": "INVERTER" if is_inverter else "BATTERY",
        "serialNumber": device.serial,
        "manufacturer": "SolarEdge",
        "model": device.model,
        "firmwareVersion": "4.25.13",
        "createdAt": _local_start(site),
        "connectedTo": None,
        "active": True,
        "nameplate": _nameplate(site, device),
        "name": device.name,
    }
    if is_inverter:
        part = device.model.removesuffix(PART) + PART
        entry |= {"partNumber": part, "communicationType": "ETHERNET", "connectedOptimizers": 14}
        if device.model == part:
            del entry["model"]
    return entry


def _nameplate(site: Site, device: Device) -> int:
    kilo = device.rated_kw or device.capacity_kwh or 0.0
    return 0 if site.number % NAMEPLATE_EVERY else round(kilo * NAMEPLATE_PER_KILO)


def _meter(site: Site, serial: str) -> dict[str, Any]:
    return {
        "type": "METER",
        "serialNumber": serial,
        "manufacturer": "SolarEdge",
        "model": "SE-MTR-3Y",
        "createdAt": _local_start(site),
        "active": True,
        "name": "Production Meter",
        "meterType": "PRODUCTION",
    }


def _local_start(site: Site) -> str:
    return site.operational_since.astimezone(zone_of(site)).isoformat(timespec="seconds")


def listed(seen: SolarEdgeSite) -> dict[str, Any]:
    """The site as it stands in the list."""
    location = {"city": seen.site.place.name}
    if LIST_HAS_TIMEZONE:
        location["timezone"] = seen.site.place.timezone
    return {
        "siteId": int(seen.site_id),
        "name": seen.site.name,
        "peakPower": seen.site.pv_kwp,
        "installationDate": _local_start(seen.site),
        "location": location,
        "activationStatus": "ACTIVE",
        "note": "",
    }


def detailed(seen: SolarEdgeSite, last_update: str) -> dict[str, Any]:
    """The site alone, with its time zone."""
    location = {"city": seen.site.place.name, "timezone": seen.site.place.timezone}
    return {**listed(seen), "accountId": 42, "lastUpdateTime": last_update, "location": location}
