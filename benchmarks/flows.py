"""The calls that list the inverters of each vendor, and the members of the answers that hold sites and inverters.

Shared by the fake clouds, which answer these calls, and by the peers written in Python, which make them.
"""

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent.parent / "tests/vendors"


@dataclass(frozen=True)
class Flow:
    """A vendor's calls below its base URL: the list of sites, if there is one, then the devices of each site.

    sites, devices: the members that lead to the rows. site, inverter: the member that holds the id.
    """

    list_path: str
    sites: tuple[str, ...]
    site: str
    device_path: str
    devices: tuple[str, ...]
    inverter: str
    method: str = "GET"

    def site_ids(self, answer: Any) -> list[str]:
        return [str(row[self.site]) for row in rows(answer, self.sites)]

    def inverter_ids(self, answer: Any) -> list[str]:
        return [str(row[self.inverter]) for row in rows(answer, self.devices)]


FLOWS = {
    "sma": Flow("/v1/plants", ("plants",), "plantId", "/v1/plants/{}/devices/lean", ("devices",), "deviceId"),
    "solis": Flow("", (), "", "/v1/api/inverterList", ("data", "page", "records"), "id", "POST"),
    "solaredge": Flow("/v2/sites", ("sites", "site"), "siteId", "/v2/sites/{}/devices", (), "serialNumber"),
    "enphase": Flow(
        "/api/v4/systems", ("systems",), "system_id", "/api/v4/systems/{}/devices", ("devices", "micros"),
        "serial_number",
    ),
    "enphasevpp": Flow(
        "/api/v1/systems/search/one", ("systems",), "system_id", "/api/v1/systems/{}/devices", ("devices", "micros"),
        "serial_number",
    ),
    "tesla": Flow(
        "/api/1/products", ("response",), "energy_site_id", "/api/1/energy_sites/{}/site_info",
        ("response", "components", "inverters"), "din",
    ),
}  # fmt: skip
VENDORS = tuple(FLOWS)
# The list of sites: one call to each vendor, and two to Enphase VPP.
SITE_FLOWS = {
    "sma": Flow("", (), "", "/v1/plants", ("plants",), "plantId"),
    "solis": Flow("", (), "", "/v1/api/userStationList", ("data", "page", "records"), "id", "POST"),
    "solaredge": Flow("", (), "", "/v2/sites", ("sites", "site"), "siteId"),
    "enphase": Flow("", (), "", "/api/v4/systems", ("systems",), "system_id"),
    "enphasevpp": Flow(
        "/api/v1/programs", ("programs",), "program_id", "/api/v1/systems/search/{}", ("systems",), "system_id"
    ),
    "tesla": Flow("", (), "", "/api/1/products", ("response",), "energy_site_id"),
}
SITE_SAMPLES = {
    "sma": "plants_list_with_installation_location.json",
    "solaredge": "sites_live.json",
    "enphase": "systems.json",
    "enphasevpp": "systems_search.json",
    "tesla": "products-solar-only.json",
}
# A recorded answer of each vendor, whose first row has the size of a real row.
SAMPLES = {
    "sma": "plant_13_devices_lean_sandbox.json",
    "solis": "inverterList.json",
    "solaredge": "devices_live_inverter.json",
    "enphase": "devices.json",
    "enphasevpp": "devices.json",
    "tesla": "site_info-powerwalls-and-inverter.json",
}


def rows(answer: Any, path: tuple[str, ...]) -> list[Any]:
    for member in path:
        answer = answer[member]
    return answer  # type: ignore[no-any-return]


def flows_from_environment() -> dict[str, Flow]:
    """The calls that a peer has to make, from its environment."""
    return {
        vendor: Flow(**{name: tuple(value) if isinstance(value, list) else value for name, value in members.items()})
        for vendor, members in json.loads(os.environ["FLOWS"]).items()
    }


def site_list(vendor: str, sites: int) -> dict[str, Any]:
    """The answer that lists the sites; its rows have the size of recorded ones if there are any."""
    flow, row = SITE_FLOWS[vendor], dict[str, Any]()
    if vendor in SITE_SAMPLES:
        row = rows(json.loads((RECORDED / vendor / SITE_SAMPLES[vendor]).read_text()), flow.devices)[0]
    answer: Any = [row | {flow.inverter: 1000 + number, "name": f"Site {number}"} for number in range(sites)]
    if vendor == "solis":
        return {"code": "0", "data": {"page": {"records": answer, "pages": 1, "current": 1, "total": sites}}}
    for member in reversed(flow.devices):
        answer = {member: answer}
    return answer | {"total": sites, "count": sites}  # type: ignore[no-any-return]


def device_list(vendor: str, site: str, inverters: int) -> Any:
    """The answer about one site, with this number of inverters of recorded size."""
    flow = FLOWS[vendor]
    answer = json.loads((RECORDED / vendor / SAMPLES[vendor]).read_text())
    devices = rows(answer, flow.devices)
    inverter = next(row for row in devices if vendor != "sma" or "generatorPower" in row)
    devices[:] = [deepcopy(inverter) | {flow.inverter: f"{site}{number:06}"} for number in range(inverters)]
    if "system_id" in answer:  # The plugin refuses an answer about another system.
        answer["system_id"] = int(site)
    if vendor == "tesla":
        answer["response"]["components"]["batteries"] = []
    if vendor == "solis":
        for row in devices:
            row["stationId"] = site
        answer["data"]["page"] |= {"current": 1, "pages": 1, "total": inverters}
    return answer


def public_ids(vendor: str, inverters: list[str]) -> Iterator[str]:
    """Opaque ids, as every peer has to derive them."""
    for inverter in inverters:
        digest = blake2b(f"{vendor}:{inverter}".encode(), key=b"bench", digest_size=10).hexdigest()
        yield f"http://127.0.0.1/solar-inverters/solr-{digest[:16]}"
