"""Faults of Tesla's histories and live values."""

from collections.abc import Mapping
from datetime import datetime

from sandbox.data_faults import Change, Json, doubled


def _null(path: str, data: Json) -> None:
    if path.endswith("/calendar_history") and data["response"].get("period") == "day":
        data["response"]["time_series"] = None


def _repeated(path: str, data: Json) -> None:
    rows = data["response"].get("time_series") if path.endswith("/calendar_history") else None
    if rows:
        doubled(rows, {"solar_energy_exported": 0, "battery_energy_exported": 0})


def _stale(path: str, data: Json) -> None:
    if path.endswith("/live_status"):
        at = datetime.fromisoformat(data["response"]["timestamp"])
        data["response"]["timestamp"] = datetime.fromtimestamp(at.timestamp() - 3 * 3600, at.tzinfo).isoformat()


CHANGES: Mapping[str, Change] = {
    "fault-1": _null,
    "fault-11": _repeated,
    "fault-13": _stale,
}
