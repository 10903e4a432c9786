"""SMA Monitoring API v1, and SMA's public sandbox as `smasbox`.

Credential: `X-Authorization-sma: Bearer <access token>`; SMA's tokens live 300 s.
Calls: sites 1; devices 1 + S for S sites; one inverter 1. No paging. At most 4 calls in parallel (SMA
publishes no number); a token bucket of unknown size answers 429.
Quirks: serial numbers are not unique, so devices are keyed on deviceId. Charging stations are listed as
"Solar Inverters" but have no generatorPower. Absent values are left out. An account without the owner's
consent has an empty list, which is no error. Ids that moved to ennexOS answer 308.
Source: https://developer.sma.de/sma-apis.html, read November 2026.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from vendors.kit import (
    Battery,
    Key,
    NotFound,
    RateLimited,
    Reply,
    Request,
    Site,
    SolarInverter,
    Vendor,
    VendorError,
)
from vendors.kit.reading import Raw, mapping, moment, number, optional_text, positive, text

# In which SMA refills its token bucket; its 429 may come without a hint.
REFILL_SECONDS = 300.0
INVERTER_TYPE = "Solar Inverters"
BATTERY_TYPE = "Battery"  # "Battery Inverter" is what was seen; what else may follow the word is not known.


class Sma(Vendor):
    hosts = {
        "sma": {"main": "https://monitoring.smaapis.de"},
        "smasbox": {"main": "https://sandbox.smaapis.de/monitoring"},
    }
    follows_308 = True
    lacks = frozenset({"battery.nameplate_kwh", "site.utc_offset_hours"})

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        if reply.status == 429 and reply.retry_after is None:
            return RateLimited(reply.url, guess=REFILL_SECONDS)
        return None

    def sites(self) -> Iterator[Site]:
        extras = {"WithInstallation": "true", "WithLocation": "true"}
        yield from self.client.get("/v1/plants", params=extras).rows("plants", to=to_site)

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        plants = [site] if site else [plant.vendor_id for plant in self.sites()]
        yield from self.client.each(plants, self._devices_of)

    def _devices_of(self, plant: str) -> list[SolarInverter | Battery]:
        reply = self.client.get("/v1/plants/{}/devices/lean", plant)
        return reply.rows("devices", to=partial(to_device, plant))

    def solar_inverter(self, key: Key) -> SolarInverter:
        reply = self.client.get("/v1/devices/{}", *key)
        device = reply.record(lambda raw: to_device(text(raw["plant"], "plantId"), raw["details"]))
        if not isinstance(device, SolarInverter):
            raise NotFound(reply.url, "not a solar inverter")
        return device


def to_site(raw: Raw) -> Site:
    """Site from one entry of `plants`; installation and location may be absent."""
    installation = mapping(raw, "installation")
    address = mapping(mapping(raw, "location"), "address")
    peak_power_w = positive(installation, "peakPower")
    plant = text(raw, "plantId")
    return Site(
        key=(plant,),
        vendor_id=plant,
        name=optional_text(raw, "name") or plant,
        timezone=optional_text(raw, "timezone"),
        latitude=number(address, "latitude"),
        longitude=number(address, "longitude"),
        operational_since=moment(installation, "startUpUtc"),
        peak_power_kw=None if peak_power_w is None else peak_power_w / 1000,
    )


def to_device(plant: str, raw: Raw) -> SolarInverter | Battery | None:
    """Solar inverter or battery from a device; None for meters, sensors, chargers and what is deactivated."""
    kind = text(raw, "type")
    device = text(raw, "deviceId")
    rated_power_w = positive(raw, "generatorPower")
    if raw.get("isActive") is False:
        return None
    identity: dict[str, Any] = {
        "key": (device,),
        "vendor_id": device,
        "site_key": (plant,),
        "vendor_site_id": plant,
        "serial_number": optional_text(raw, "serial") or "",
        "model": optional_text(raw, "product") or "",
        "name": optional_text(raw, "name"),
    }
    if kind == INVERTER_TYPE and rated_power_w is not None:
        return SolarInverter(**identity, rated_power_kw=rated_power_w / 1000)
    if kind.startswith(BATTERY_TYPE):
        return Battery(**identity)
    return None
