"""Calls of Enphase's two clouds, written after their documents and sharing no code with the sandbox."""

from datetime import UTC, datetime
from typing import Any

from werkzeug.test import TestResponse

from tests.sandbox.callers import Caller

MONITORING, SERVICES = "enphase", "enphasevpp"
KEY_NAMES = {MONITORING: "key", SERVICES: "x-api-key"}
PREFIXES = {MONITORING: "/api/v4/systems", SERVICES: "/api/v1/systems"}
LIFETIMES = {MONITORING: "energy_lifetime", SERVICES: "production_lifetime"}
FIRST = 698_900_003


def system_id(number: int) -> int:
    """The id of the fleet's site with that number."""
    return FIRST + 7 * number


class Enphase:
    """Calls one of the clouds with the ready credentials, or with those of another application or account."""

    def __init__(self, caller: Caller, vendor: str, holder: str = "") -> None:
        self.caller = caller
        self.vendor = vendor
        entry = caller.vendors[vendor]
        if holder:
            entry = entry["applications" if vendor == MONITORING else "accounts"][holder]
        self.token = entry["headers"][f"X-Authorization-{vendor}"]
        self.key = entry["headers"][f"X-{vendor}-api-key"]

    @property
    def headers(self) -> dict[str, str]:
        """Both credentials."""
        return {"Authorization": self.token, KEY_NAMES[self.vendor]: self.key}

    def get(self, path: str, **query: Any) -> TestResponse:
        """A GET of a path below the vendor's base."""
        return self.caller.http.get(f"/{self.vendor}{path}", headers=self.headers, query_string=query or None)

    def system_json(self, number: int, path: str, **query: Any) -> Any:
        """The JSON at a path below the system with this number in the fleet."""
        answer = self.get(f"{PREFIXES[self.vendor]}/{system_id(number)}{path}", **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def set_options(self, **options: bool) -> None:
        """Switches oddities on."""
        assert self.caller.http.put(f"/options/{self.vendor}", json=options).status_code == 200

    def energy_wh(self, number: int, start: float, end: float, kind: str = "pv", device: str = "") -> float:
        """The truth, between two instants in epoch seconds."""
        span = {"start": _iso(start), "end": _iso(end)}
        query = {"site": str(system_id(number)), "vendor": self.vendor, "kind": kind, **span}
        return self.caller.energy_wh(**query, **({"device": device} if device else {}))


def _iso(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).isoformat()
