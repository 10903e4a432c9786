"""SolarEdge Monitoring API v2.

Credential: `X-Authorization-solaredge: <app key>`, sent on as `X-API-Key`; a value `Bearer <token>` (one site,
with the owner's consent) goes as Authorization, and the vendor refuses it for the list of sites.
Calls: sites one per 1,000; devices ceil(S / 1000) + S for S sites; one inverter 1. Small plans have 10 calls a
minute (headers tell) and 2,000 credits a month (nothing tells).
Quirks: `/sites` was a bare array in 2022; `types` means inverters only unless asked; `model` may be absent where
`partNumber` stands; `nameplate` is 0 for unknown; texts may be blanked out. Version 1 answers 410 since November
2026, and its keys are not valid here.
Source: https://api-docs.solaredge.com, and live replies of public projects, read November 2026.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from vendors.kit import (
    Battery,
    CredentialHeaders,
    Key,
    NotFound,
    RateLimited,
    Reply,
    Request,
    Site,
    SolarInverter,
    Vendor,
    VendorError,
    bearer,
)
from vendors.kit.reading import Raw, mapping, moment, optional_text, positive, text

SITES_PER_PAGE = 1000
PER_MINUTE_SECONDS = 60.0
# When the billing month ends is told nowhere: ask again tomorrow.
NEXT_DAY_SECONDS = 86_400.0
# The unit of `nameplate` is not documented; v1 gave W for inverters and Wh for batteries.
NAMEPLATE_PER_KILO = 1000.0


def key_or_bearer(value: str) -> Mapping[str, str]:
    """The bare API key as {"key": ...}, or `Bearer <token>` as {"token": ...}."""
    if value.split(" ")[0].lower() == "bearer":
        return bearer(value)
    if not value or " " in value:
        raise ValueError("must be the API key alone, or: Bearer <token>")
    return {"key": value}


class SolarEdge(Vendor):
    hosts = {"solaredge": {"main": "https://monitoringapi.solaredge.com"}}
    credential_headers = CredentialHeaders(key_or_bearer)
    lacks = frozenset({
        "battery.charge_kw", "battery.discharge_kw", "battery.kind", "battery.measured_at", "battery.mode",
        "battery.rated_power_kw", "battery.recent_errors", "battery.soc_percent", "battery.status",
        "battery.vendor_status", "site.bess.mode", "site.bess.nameplate_kwh", "site.bess.soc_percent",
        "site.charge_kw", "site.discharge_kw", "site.latitude", "site.longitude", "site.measured_at",
        "site.power_kw", "site.timezone", "site.utc_offset_hours", "solar_inverter.kind",
        "solar_inverter.lifetime_production", "solar_inverter.measured_at", "solar_inverter.power_kw",
        "solar_inverter.recent_errors", "solar_inverter.recent_production", "solar_inverter.status",
        "solar_inverter.vendor_status", "solar_intervals", "battery_intervals", "site_solar_intervals",
        "site_battery_intervals",
    })  # fmt: skip

    def sign(self, request: Request) -> None:
        key = self.credential.get("key")
        if key is None:
            super().sign(request)
        else:
            request.headers["X-API-Key"] = key

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        if reply.status != 429 or reply.headers.get("retry-after"):
            return None
        if reply.headers.get("x-ratelimit-remaining-minute", "0") == "0":
            return RateLimited(reply.url, guess=PER_MINUTE_SECONDS)
        return RateLimited(reply.url, "the credits of this month are spent", guess=NEXT_DAY_SECONDS)

    def sites(self) -> Iterator[Site]:
        yield from self.client.pages(self._page_of_sites)

    def _page_of_sites(self, number: int) -> tuple[list[Site], bool]:
        reply = self.client.get("/v2/sites", params={"page": number, "sites-in-page": SITES_PER_PAGE})
        path = () if isinstance(reply.json, list) else ("sites", "site")
        sites = reply.rows(*path, to=to_site)
        return sites, len(sites) >= SITES_PER_PAGE

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        sites = [site] if site else [found.vendor_id for found in self.sites()]
        yield from self.client.each(sites, self._devices_of)

    def _devices_of(self, site: str) -> list[SolarInverter | Battery]:
        reply = self.client.get("/v2/sites/{}/devices", site, params={"types": ["INVERTER", "BATTERY"]})
        return reply.rows(to=partial(to_device, site))

    def solar_inverter(self, key: Key) -> SolarInverter:
        site, _ = key
        for device in self._devices_of(site):
            if isinstance(device, SolarInverter) and device.key == key:
                return device
        raise NotFound(why="the site has no such inverter")


def to_site(raw: Raw) -> Site:
    """Site from an entry of `/sites`; the time zone may stand in the detail only."""
    site = text(raw, "siteId")
    return Site(
        key=(site,),
        vendor_id=site,
        name=optional_text(raw, "name") or site,
        timezone=optional_text(mapping(raw, "location"), "timezone"),
        operational_since=moment(raw, "installationDate"),
        peak_power_kw=positive(raw, "peakPower"),
    )


def to_device(site: str, raw: Raw) -> SolarInverter | Battery | None:
    """Solar inverter or battery; None for meters, optimizers, gateways and the rest."""
    kind = text(raw, "type")
    if kind not in ("INVERTER", "BATTERY"):
        return None
    serial_number = text(raw, "serialNumber")
    nameplate = positive(raw, "nameplate")
    nameplate_kilo = None if nameplate is None else nameplate / NAMEPLATE_PER_KILO
    identity: dict[str, Any] = {
        "key": (site, serial_number),
        "vendor_id": serial_number,
        "site_key": (site,),
        "vendor_site_id": site,
        "serial_number": serial_number,
        "model": optional_text(raw, "model") or optional_text(raw, "partNumber") or "",
        "name": optional_text(raw, "name"),
    }
    if kind == "INVERTER":
        return SolarInverter(**identity, rated_power_kw=nameplate_kilo)
    return Battery(**identity, nameplate_kwh=nameplate_kilo)
