"""Calls of Tesla's cloud, and what its answers hold; shares no code with the sandbox."""

import json
from base64 import urlsafe_b64decode
from typing import Any

from werkzeug.test import TestResponse

from tests.sandbox.callers import Caller


def site_ids(caller: Caller) -> list[str]:
    return [view["site"] for view in caller.truth()["views"]["tesla"]]


def response(answer: TestResponse) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json["response"]  # type: ignore[index]


def info(caller: Caller, site_id: str) -> dict[str, Any]:
    site_info: dict[str, Any] = response(caller.get("tesla", f"/api/1/energy_sites/{site_id}/site_info"))
    return site_info


def devices(site_info: dict[str, Any], array: str) -> list[tuple[str, str, str]]:
    """DIN, serial and model of the active components; one entry of blanks for a flag without an array."""
    components = site_info["components"]
    units = [unit for unit in components.get("gateways", []) if "nameplate_energy_watts" in unit]
    if array not in components and not units:
        flag = {"inverters": "solar", "batteries": "battery"}[array]
        return [("", "", "")] if components[flag] else []
    listed = [unit for unit in components.get(array, []) if unit["part_name"] != "Unknown"]
    active = [unit for unit in [*listed, *units] if unit.get("is_active", True)]
    return [
        (unit["din"], unit.get("serial_number", unit["din"].split("--", 1)[1]), unit["part_name"]) for unit in active
    ]


def tesla(caller: Caller) -> dict[str, Any]:
    entry: dict[str, Any] = caller.http.get("/").json["vendors"]["tesla"]  # type: ignore[index]
    return entry


def ask(caller: Caller, path: str, account: str = "jwt") -> TestResponse:
    """A call with another account than the ready one."""
    header = tesla(caller)["accounts"][account]["headers"]["X-Authorization-tesla"]
    return caller.http.get(f"/tesla{path}", headers={"Authorization": header})


def claims(header: str) -> dict[str, Any]:
    payload = header.removeprefix("Bearer ").split(".")[1]
    claims_of_token: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims_of_token


def refresh(caller: Caller, **form: str) -> TestResponse:
    return caller.http.post("/tesla/oauth2/v3/token", data={"grant_type": "refresh_token", **form})
