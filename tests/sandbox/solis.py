"""The contents of Solis' answers, and inverters of its fleet; shares no code with the sandbox."""

from typing import Any

from werkzeug.test import TestResponse

from tests.sandbox.callers import Caller


def data(answer: TestResponse) -> Any:
    assert (answer.status_code, answer.json["code"]) == (200, "0"), answer.text  # type: ignore[index]
    return answer.json["data"]  # type: ignore[index]


def records(caller: Caller) -> list[dict[str, Any]]:
    return data(caller.solis("inverterList", pageSize=100))["page"]["records"]  # type: ignore[no-any-return]


def hybrid(caller: Caller, number: int) -> dict[str, Any]:
    devices = caller.truth()["views"]["solis"][number]["devices"]
    return next(device for device in devices if device["kind"] == "battery")  # type: ignore[no-any-return]
