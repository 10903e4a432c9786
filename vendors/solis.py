"""SolisCloud Platform API V2.0.

Credential: `X-Authorization-solis: Basic base64(<key id>:<key secret>)`. The secret is never sent: each call
carries an HMAC-SHA1 over its method, body digest, type, date and path.
Calls: sites one per 100; devices one per 100 inverters (no site list needed); one inverter 1. The vendor wants
one call in flight per key. Everything is POST.
Quirks: errors come with status 200, some even with `success: true`, so only `code` counts. The daily quota
shares the code of "no authority" and differs in its text. Ids are decimal texts of 19 digits. A battery is part
of a hybrid inverter, and battery members stand in the answers of string inverters too. `model` is a type code;
a trade name (`machine`) stands in the detail only.
Source: SolisCloud Platform API Document V2.0; codes beyond it as seen by public clients, read November 2026.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from email.utils import formatdate
from itertools import chain
from typing import Any, TypeVar

from vendors.kit import (
    BackendError,
    Battery,
    CredentialHeaders,
    Forbidden,
    Key,
    Limits,
    NotFound,
    Rate,
    RateLimited,
    Refused,
    Reply,
    Request,
    Site,
    SolarInverter,
    Unauthorized,
    Vendor,
    VendorError,
    basic,
)
from vendors.kit.reading import Raw, number, optional_text, power_kw, text

T = TypeVar("T")

CONTENT_TYPE = "application/json;charset=UTF-8"
PAGE_SIZE = 100
# The vendor sends no hint with a 429; its limit is 2 calls a second per interface.
THROTTLED_SECONDS = 5.0
# When the daily quota is set back is not documented: ask again after an hour.
DAILY_QUOTA_SECONDS = 3600.0
DAILY_QUOTA_WORDS = "too many request"

CODES: dict[str, type[VendorError]] = {
    "R0000": Forbidden,
    "Z0001": Unauthorized,
    "I0012": Unauthorized,
    "B0011": Unauthorized,
    "B0001": Forbidden,
    "B0049": NotFound,
    "I0000": Refused,
    "I0003": Refused,
}
# "Data exception": a wrong or foreign id where one was asked for, else a fault of the platform.
DATA_EXCEPTION = "1"
ID_MEMBERS = (b'"id":', b'"stationId":')


class Solis(Vendor):
    hosts = {"solis": {"main": "https://www.soliscloud.com:13333"}}
    credential_headers = CredentialHeaders(basic)
    limits = Limits(parallel=1, rate=Rate(2, 1), group=("id",))
    lacks = frozenset({
        "battery.charge_kw", "battery.discharge_kw", "battery.kind", "battery.measured_at", "battery.mode",
        "battery.model", "battery.name", "battery.nameplate_kwh", "battery.rated_power_kw", "battery.recent_errors",
        "battery.soc_percent", "battery.status", "battery.vendor_status", "site.bess.mode",
        "site.bess.nameplate_kwh", "site.bess.soc_percent", "site.charge_kw", "site.discharge_kw", "site.latitude",
        "site.longitude", "site.measured_at", "site.operational_since", "site.power_kw", "site.timezone",
        "solar_inverter.kind", "solar_inverter.lifetime_production", "solar_inverter.measured_at",
        "solar_inverter.power_kw", "solar_inverter.recent_errors", "solar_inverter.recent_production",
        "solar_inverter.status", "solar_inverter.vendor_status", "solar_intervals", "battery_intervals",
        "site_solar_intervals", "site_battery_intervals",
    })  # fmt: skip

    def sign(self, request: Request) -> None:
        digest = base64.b64encode(hashlib.md5(request.body or b"", usedforsecurity=False).digest()).decode()
        date = formatdate(usegmt=True)
        message = f"{request.method}\n{digest}\n{CONTENT_TYPE}\n{date}\n{request.path}"
        sign = hmac.digest(self.credential["secret"].encode(), message.encode(), "sha1")
        request.headers |= {
            "Content-MD5": digest,
            "Content-Type": CONTENT_TYPE,
            "Date": date,
            "Authorization": f"API {self.credential['id']}:{base64.b64encode(sign).decode()}",
        }

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        url = reply.url
        if reply.status == 403:
            return Unauthorized(url)
        if reply.status == 408:
            return Refused(url, "the clock of this server is more than 15 minutes off")
        if reply.status == 429:
            return RateLimited(url, retry_after=reply.retry_after, guess=THROTTLED_SECONDS)
        if reply.status != 200:
            return None
        code, said = reply.record(lambda raw: (text(raw, "code"), str(raw.get("msg"))))
        if code == "0":
            return None
        if code == "R0000" and DAILY_QUOTA_WORDS in said.lower():
            return RateLimited(url, "the daily quota is spent", retry_after=DAILY_QUOTA_SECONDS)
        if code == DATA_EXCEPTION and any(member in (request.body or b"") for member in ID_MEMBERS):
            return NotFound(url)
        return CODES.get(code, BackendError)(url, f"code {code}" if code.isalnum() and len(code) < 9 else "")

    def sites(self) -> Iterator[Site]:
        yield from self.client.pages(lambda number: self._page("userStationList", number, {}, to_site))

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        of_site = {"stationId": site} if site else {}
        found = self.client.pages(lambda number: self._page("inverterList", number, of_site, to_devices))
        yield from chain.from_iterable(found)

    def _page(self, call: str, number: int, extra: dict[str, str], to: Callable[[Raw], T]) -> tuple[list[T], bool]:
        body = {"pageNo": number, "pageSize": PAGE_SIZE} | extra
        reply = self.client.read("/v1/api/{}", call, body=body)
        found = reply.rows("data", "page", "records", to=to)
        # `pages` is 0 for an empty account; an empty page ends the list whatever the counter says.
        pages = reply.record(lambda raw: int(raw["data"]["page"]["pages"]))
        empty = reply.record(lambda raw: not raw["data"]["page"]["records"])
        return found, number < pages and not empty

    def solar_inverter(self, key: Key) -> SolarInverter:
        reply = self.client.read("/v1/api/inverterDetail", body={"id": key[0]})
        detail = reply.record(lambda raw: raw["data"])
        if not detail:
            raise NotFound(reply.url)
        # A device that never reported has a detail of zeros without an id; the list knows who it is.
        devices = self.devices() if "id" not in detail else reply.record(lambda raw: to_devices(raw["data"]))
        for device in devices:
            if isinstance(device, SolarInverter) and device.key == key:
                return device
        raise NotFound(reply.url)


def to_site(raw: Raw) -> Site:
    """Site from one entry of `userStationList`, which tells an offset without daylight saving, no time zone."""
    station = text(raw, "id")
    return Site(
        key=(station,),
        vendor_id=station,
        name=optional_text(raw, "stationName") or station,
        utc_offset_hours=number(raw, "timeZone"),
        peak_power_kw=power_kw(raw, "capacity", "capacityStr"),
    )


def to_devices(raw: Raw) -> list[SolarInverter | Battery]:
    """The inverter of an entry, and its battery if it is a hybrid; both have the inverter's serial number."""
    inverter = text(raw, "id")
    station = text(raw, "stationId")
    identity: dict[str, Any] = {
        "key": (inverter,),
        "vendor_id": inverter,
        "site_key": (station,),
        "vendor_site_id": station,
        "serial_number": optional_text(raw, "sn") or "",
    }
    model = optional_text(raw, "machine") or optional_text(raw, "productModel") or optional_text(raw, "model")
    solar_inverter = SolarInverter(
        **identity,
        model=model or "",
        name=optional_text(raw, "name"),
        rated_power_kw=power_kw(raw, "power", "powerStr"),
    )
    return [solar_inverter, Battery(**identity)] if has_battery(raw) else [solar_inverter]


def has_battery(raw: Raw) -> bool:
    """Whether a battery hangs on this inverter. Battery members alone prove nothing: all inverters have them."""

    def above_0(name: str) -> bool:
        return (number(raw, name) or 0) > 0

    return (
        above_0("batteryTotalChargeEnergy")
        or above_0("batteryTotalDischargeEnergy")
        or above_0("batteryNum")
        or bool(raw.get("batteryList"))
        or (above_0("batteryCapacitySoc") and above_0("batteryVoltage"))
        or raw.get("energyStorageControl", "0") not in ("0", 0, "", None)
    )
