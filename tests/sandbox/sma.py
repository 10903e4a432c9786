"""Rows and devices of SMA's cloud; shares no code with the sandbox."""

from typing import Any

from tests.sandbox.callers import Caller


def rows(caller: Caller, path: str, **query: str) -> list[dict[str, Any]]:
    answer = caller.get("sma", path, **query)
    assert answer.status_code == 200, answer.text
    return answer.json["set"]  # type: ignore[index,no-any-return]


def devices_of(caller: Caller, number: int, kind: str) -> list[dict[str, str]]:
    devices = caller.truth()["views"]["sma"][number]["devices"]
    return [device["ids"] for device in devices if device["kind"] == kind]


def numbers(value: Any) -> bool:
    """Whether it is a number, or numbers of inputs, as `{"index": "A", "value": 1.0}`."""
    if isinstance(value, list):
        return all(set(part) == {"index", "value"} and numbers(part["value"]) for part in value)
    return isinstance(value, int | float)
