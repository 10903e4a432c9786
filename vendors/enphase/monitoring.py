"""Enphase Monitoring API v4.

Credential: `X-Authorization-enphase: Bearer <token>` and `X-enphase-api-key: <key>`, both of one application.
Calls: sites one per 100; devices ceil(S / 100) + S for S systems; one inverter 1. At most 2 in parallel: a quota is
a fixed minute (10 calls on the free plan), belongs to the key, and is spent by bursts.
Quirks: a refused plan looks like a refused token (401). A 429 has no Retry-After; its body may tell when the
minute ends. Names have stray blanks, time zones may be legacy aliases or null.
Source: https://developer-v4.enphase.com/docs, read November 2026.
"""

from collections.abc import Iterator

from vendors.enphase.shapes import LACKS, devices_of, inverter_of, to_site
from vendors.kit import (
    Battery,
    CredentialHeaders,
    Forbidden,
    Key,
    Limits,
    RateLimited,
    Reply,
    Request,
    Site,
    SolarInverter,
    Unauthorized,
    Vendor,
    VendorError,
    bearer,
)
from vendors.kit.reading import number, optional_text

SYSTEMS = "/api/v4/systems"
PAGE_SIZE = 100
MISMATCH = "api key -client mismatch"


class Enphase(Vendor):
    hosts = {"enphase": {"main": "https://api.enphaseenergy.com"}}
    credential_headers = CredentialHeaders(bearer, {"key": ("X-enphase-api-key",)})
    limits = Limits(parallel=2, group=("key",))
    lacks = LACKS

    def sign(self, request: Request) -> None:
        super().sign(request)
        # As a header: the key works in the query as well, and would then stand in logs.
        request.headers["key"] = self.credential["key"]

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        if reply.status == 401:
            return self._refusal(reply)
        # 409 is what version 2 of the API said, and is documented nowhere for this one.
        if reply.status == 429 or (reply.status == 409 and "limit" in str(reply.about.get("details")).lower()):
            return limited(reply)
        return None

    def _refusal(self, reply: Reply) -> VendorError:
        if (optional_text(reply.about, "message") or "").lower() == MISMATCH:
            return Unauthorized(reply.url, "the API key and the token belong to different applications")
        if not self.client.answered:
            return Unauthorized(reply.url)
        # The same credential worked a moment ago, so it is what the call asks for that is refused.
        refusal = Forbidden(reply.url, "the plan of the application does not cover this call")
        refusal.stops_the_sweep = True
        return refusal

    def sites(self) -> Iterator[Site]:
        yield from self.client.pages(self._page)

    def _page(self, number: int) -> tuple[list[Site], bool]:
        reply = self.client.get(SYSTEMS, params={"page": number, "size": PAGE_SIZE})
        more = reply.record(lambda raw: bool(raw["systems"]) and number * PAGE_SIZE < int(raw["total"]))
        return reply.rows("systems", to=to_site), more

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        systems = [site] if site else [found.vendor_id for found in self.sites()]
        yield from self.client.each(systems, self._devices_of)

    def _devices_of(self, system: str) -> list[SolarInverter | Battery]:
        return devices_of(system, self.client.get(SYSTEMS + "/{}/devices", system))

    def solar_inverter(self, key: Key) -> SolarInverter:
        return inverter_of(key, self._devices_of(key[0]))


def limited(reply: Reply) -> RateLimited:
    """With the end of the vendor's period where the body tells it; else a minute, which is the common period.

    The vendor documents no Retry-After; should it send one, that counts.
    """
    if reply.retry_after is not None:
        return RateLimited(reply.url, retry_after=reply.retry_after)
    return RateLimited(reply.url, retry_at=number(reply.about, "period_end"))
