"""Series of SolarEdge's cloud; shares no code with the sandbox."""

from typing import Any

from tests.sandbox.callers import Caller

SITE = "/v2/sites/1000001"


def values(caller: Caller, path: str, **query: Any) -> dict[str, Any]:
    answer = caller.get("solaredge", path, **query)
    assert answer.status_code == 200, answer.text
    return {row["timestamp"]: row["value"] for row in answer.json["values"]}  # type: ignore[index]
