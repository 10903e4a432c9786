"""Enphase Grid Services API (virtual power plants), version 1.1.

Credential: `X-Authorization-enphasevpp: Bearer <token>` (one hour) and `X-enphasevpp-api-key: <key>`, or else
`X-enphase-api-key`, sent on as `x-api-key`.
Calls for P programs and S sites: sites ceil(P / 100) + one per 100 sites of each program; devices as many + S; one
inverter 1. No quota is published.
Quirks: the list of sites is ordered by program, and a site may stand in several. A program without sites answers 404.
Some 403 mean that a credential is bad. The newest systems come first unless asked otherwise.
Source: https://vpp.enphaseenergy.com/auth/getApiSpec (July 2026).
"""

from collections.abc import Iterator

from vendors.enphase.shapes import LACKS, devices_of, inverter_of, to_site
from vendors.kit import (
    BackendError,
    Battery,
    CredentialHeaders,
    Key,
    NotFound,
    RawReply,
    Reply,
    Request,
    Site,
    SolarInverter,
    Unauthorized,
    Vendor,
    VendorError,
    bearer,
)
from vendors.kit.reading import Raw, text

PROGRAMS = "/api/v1/programs"
SEARCH = "/api/v1/systems/search/{}"
DEVICES = "/api/v1/systems/{}/devices"
PAGE_SIZE = 100
# Beginnings of texts, in lower case.
BAD_CREDENTIAL = ("forbidden", "x-api-key is not", "no account found")
NOT_ENROLLED = "site is not enrolled"
EMPTY_PROGRAM = "no sites were found"
DOWNSTREAM = "error occurred while getting response from downstream"


class EnphaseVpp(Vendor):
    hosts = {"enphasevpp": {"main": "https://vpp.enphaseenergy.com"}}
    credential_headers = CredentialHeaders(bearer, {"key": ("X-enphasevpp-api-key", "X-enphase-api-key")})
    lacks = LACKS

    def sign(self, request: Request) -> None:
        super().sign(request)
        request.headers["x-api-key"] = self.credential["key"]

    def failure(self, reply: Reply, request: Request) -> VendorError | RawReply | None:
        said = str(reply.about.get("displayMessage") or reply.about.get("message") or "").lower()
        if reply.status == 403 and said.startswith(BAD_CREDENTIAL):
            return Unauthorized(reply.url)
        if reply.status == 403 and said.startswith(NOT_ENROLLED):
            return NotFound(reply.url, "the site is in no program of this account")
        if reply.status == 404 and said.startswith(EMPTY_PROGRAM):
            return reply.instead({"total": 0, "systems": []})
        if reply.status == 422 and said.startswith(DOWNSTREAM):
            return BackendError(reply.url)
        return None

    def sites(self) -> Iterator[Site]:
        programs = list(self.client.pages(self._page_of_programs))
        seen: set[Key] = set()
        for site in self.client.each(programs, self._sites_of, unit="programs"):
            if site.key not in seen:
                seen.add(site.key)
                yield site

    def _page_of_programs(self, number: int) -> tuple[list[str], bool]:
        reply = self.client.get(PROGRAMS, params={"page_no": number, "page_size": PAGE_SIZE})
        more = reply.record(lambda raw: bool(raw["programs"]) and number * PAGE_SIZE < int(raw["total_count"]))
        return reply.rows("programs", to=to_program), more

    def _sites_of(self, program: str) -> list[Site]:
        return list(self.client.pages(lambda number: self._page_of_sites(program, number)))

    def _page_of_sites(self, program: str, number: int) -> tuple[list[Site], bool]:
        reply = self.client.get(SEARCH, program, params={"page": number, "size": PAGE_SIZE, "sort_by": "id"})
        more = reply.record(lambda raw: bool(raw["systems"]) and number * PAGE_SIZE < int(raw["total"]))
        return reply.rows("systems", to=to_site), more

    def devices(self, site: str | None = None) -> Iterator[SolarInverter | Battery]:
        sites = [site] if site else [found.vendor_id for found in self.sites()]
        yield from self.client.each(sites, self._devices_of)

    def _devices_of(self, site: str) -> list[SolarInverter | Battery]:
        return devices_of(site, self.client.get(DEVICES, site))

    def solar_inverter(self, key: Key) -> SolarInverter:
        return inverter_of(key, self._devices_of(key[0]))


def to_program(raw: Raw) -> str:
    """The id of a program: any text, also with blanks."""
    return text(raw, "program_id")
