"""Tesla Fleet API, energy endpoints.

Credential: `X-Authorization-tesla: Bearer <token>`, a third-party token of the site's owner with the scope
`energy_device_data`. Every answer below 500 costs its owner money.
Calls: sites 1; devices 1 + S for S sites with solar or battery; one inverter 1. No paging.
Quirks: products are vehicles and sites mixed, and sites of a mere electricity contract. Accounts live in regions: 421
means the other one. A retired site stays listed, and its `site_info` answers 500 for good. Device lists may be
missing: then one inverter or battery stands for all of the site. Serial numbers repeat, so devices are keyed on the
DIN (`<part number>--<serial number>`).
Source: https://developer.tesla.com/docs/fleet-api, and replies that public clients recorded; read November 2026.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from vendors.kit import (
    BackendError,
    Battery,
    Forbidden,
    Key,
    NotFound,
    Permanent,
    RateLimited,
    Reply,
    Request,
    Site,
    SolarInverter,
    Vendor,
    VendorError,
)
from vendors.kit.reading import Raw, mapping, number, optional_text, positive, text

PRODUCTS = "/api/1/products"
SITE_INFO = "/api/1/energy_sites/{}/site_info"
RETIRED = "upstream internal error"
RETRY_IN = re.compile(r"Retry in (\d{1,6}) seconds")
# A battery with an inverter for solar modules inside. Whether it is listed under `inverters` too is not documented.
HYBRID = "powerwall 3"

STATUSES: dict[int, tuple[type[VendorError], str]] = {
    402: (Forbidden, "the vendor has suspended the account, or its billing limit is reached"),
    408: (BackendError, "the device is offline"),
    423: (Forbidden, "the vendor has locked the account"),
    424: (BackendError, "the device gave no valid answer"),
    451: (Forbidden, "the owner's privacy settings do not allow it"),
}


class Tesla(Vendor):
    hosts = {
        "tesla": {
            "na": "https://fleet-api.prd.na.vn.cloud.tesla.com",
            "eu": "https://fleet-api.prd.eu.vn.cloud.tesla.com",
            "cn": "https://fleet-api.prd.cn.vn.cloud.tesla.cn",
        }
    }
    lacks = frozenset({
        "battery.charge_kw", "battery.discharge_kw", "battery.kind", "battery.measured_at", "battery.mode",
        "battery.name", "battery.rated_power_kw", "battery.recent_errors", "battery.soc_percent", "battery.status",
        "battery.vendor_status", "site.bess.mode", "site.bess.nameplate_kwh", "site.bess.soc_percent",
        "site.charge_kw", "site.discharge_kw", "site.latitude", "site.longitude", "site.measured_at",
        "site.operational_since", "site.peak_power_kw", "site.power_kw", "site.timezone", "site.utc_offset_hours",
        "solar_inverter.kind", "solar_inverter.lifetime_production", "solar_inverter.measured_at",
        "solar_inverter.name", "solar_inverter.power_kw", "solar_inverter.rated_power_kw",
        "solar_inverter.recent_errors", "solar_inverter.recent_production", "solar_inverter.status",
        "solar_inverter.vendor_status", "solar_intervals", "battery_intervals", "site_solar_intervals",
        "site_battery_intervals",
    })  # fmt: skip

    def sign(self, request: Request) -> None:
        super().sign(request)
        request.headers["Content-Type"] = "application/json"

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        if reply.status in STATUSES:
            kind, why = STATUSES[reply.status]
            return kind(reply.url, why)
        if reply.status == 403 and "scope" in str(reply.about.get("error")).lower():
            return Forbidden(reply.url, "the token lacks the scope energy_device_data")
        if reply.status == 429:
            return limited(reply)
        if reply.status == 500 and reply.about.get("error") == RETIRED:
            return Permanent(reply.url, "the site may be retired")
        if reply.status == 200 and not isinstance(reply.about.get("response", {}), dict | list):
            return BackendError(reply.url, "the vendor has no data")
        return None

    def spent(self, reply: Reply) -> float | None:
        if reply.headers.get("RateLimit-Remaining") != "0":
            return None
        return number(reply.headers, "RateLimit-Reset")

    def sites(self) -> Iterator[Site]:
        yield from self.client.get(PRODUCTS).rows("response", to=to_site)

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        sites = [site] if site else self.client.get(PRODUCTS).rows("response", to=to_id_with_devices)
        yield from self.client.each(sites, self._devices_of)

    def _devices_of(self, site: str) -> list[SolarInverter | Battery]:
        reply = self.client.get(SITE_INFO, site)
        info = reply.record(lambda raw: raw["response"])
        components = reply.record(lambda raw: raw["response"]["components"])
        inverters: list[SolarInverter] = []
        batteries = reply.rows("response", "components", "batteries", to=partial(to_battery, site), optional=True)
        if components.get("solar"):
            inverters = reply.rows("response", "components", "batteries", to=partial(to_hybrid, site), optional=True)
            inverters += reply.rows("response", "components", "inverters", to=partial(to_inverter, site), optional=True)
            if not inverters and not components.get("inverters"):
                inverters = [SolarInverter(**whole_site(site))]
        if components.get("battery") and not components.get("batteries"):
            batteries = [Battery(**whole_site(site), nameplate_kwh=energy_kwh(info))]
        return [*inverters, *batteries]

    def solar_inverter(self, key: Key) -> SolarInverter:
        for device in self._devices_of(key[0]):
            if isinstance(device, SolarInverter) and device.key == key:
                return device
        raise NotFound(why="the site has no such inverter")


def to_site(raw: Raw) -> Site | None:
    """Site from a product; None for vehicles and for electricity contracts. Its time zone is in the detail only."""
    if "energy_site_id" not in raw or not has_equipment(raw):
        return None
    site = text(raw, "energy_site_id")
    return Site(key=(site,), vendor_id=site, name=optional_text(raw, "site_name") or site)


def to_id_with_devices(raw: Raw) -> str | None:
    """Id of a product whose `site_info` is worth its price: a site with solar or battery."""
    components = mapping(raw, "components")
    found = "energy_site_id" in raw and (components.get("solar") or components.get("battery"))
    return text(raw, "energy_site_id") if found else None


def has_equipment(raw: Raw) -> bool:
    components = mapping(raw, "components")
    return bool(components.get("solar") or components.get("battery") or components.get("wall_connectors"))


def to_inverter(site: str, raw: Raw) -> SolarInverter | None:
    """Solar inverter from a component; None when it is no longer active."""
    return None if raw.get("is_active") is False else SolarInverter(**identity(site, raw))


def to_hybrid(site: str, raw: Raw) -> SolarInverter | None:
    """The inverter inside a battery, where that kind of battery has one."""
    model = optional_text(raw, "part_name") or ""
    return to_inverter(site, raw) if HYBRID in model.lower() else None


def to_battery(site: str, raw: Raw) -> Battery | None:
    """Battery from a component; `nameplate_energy` is in Wh."""
    if raw.get("is_active") is False:
        return None
    return Battery(**identity(site, raw), nameplate_kwh=energy_kwh(raw))


def energy_kwh(raw: Raw) -> float | None:
    energy_wh = positive(raw, "nameplate_energy")
    return None if energy_wh is None else energy_wh / 1000


def identity(site: str, raw: Raw) -> dict[str, Any]:
    """The members that identify a device: by its DIN, or by its device id in answers that have none."""
    device = optional_text(raw, "din") or text(raw, "device_id")
    return whole_site(site) | {
        "key": (site, device),
        "vendor_id": device,
        "serial_number": optional_text(raw, "serial_number") or device.partition("--")[2],
        "model": optional_text(raw, "part_name") or "",
    }


def whole_site(site: str) -> dict[str, Any]:
    """The identity of a device that stands for all of its kind at a site."""
    return {"key": (site,), "vendor_id": site, "site_key": (site,), "vendor_site_id": site}


def limited(reply: Reply) -> RateLimited:
    """With the vendor's hint: a header, another header, or a number in its text; hours occur."""
    said = RETRY_IN.search(reply.text)
    hints = (reply.retry_after, number(reply.headers, "RateLimit-Reset"), float(said.group(1)) if said else None)
    return RateLimited(reply.url, retry_after=next((hint for hint in hints if hint is not None), None))
