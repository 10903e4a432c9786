"""Faults of Tesla's histories and live values."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sandbox.data_faults import Change, Json, Rows, doubled

# Seen in an answer: it has no date in UTC.
NO_TIME = "0001-01-01T00:00:00+10:00"


def _null(path: str, data: Json) -> None:
    if path.endswith("/calendar_history") and data["response"].get("period") == "day":
        data["response"]["time_series"] = None


def _repeated(path: str, data: Json) -> None:
    if rows := _rows(path, data):
        doubled(rows, {"solar_energy_exported": 0, "battery_energy_exported": 0})


def _stale(path: str, data: Json) -> None:
    if path.endswith("/live_status"):
        at = datetime.fromisoformat(data["response"]["timestamp"])
        data["response"]["timestamp"] = datetime.fromtimestamp(at.timestamp() - 3 * 3600, at.tzinfo).isoformat()


def _of_tomorrow(path: str, data: Json) -> None:
    """Every third row of a day is there once more, on the date after its own."""
    rows = _rows(path, data)
    for row in rows[::3] if rows and data["response"]["period"] == "day" else ():
        tomorrow = datetime.fromisoformat(row["timestamp"]) + timedelta(days=1)
        rows.append(row | {"timestamp": tomorrow.isoformat()})


def _timeless(path: str, data: Json) -> None:
    """Live values, and copies of every third row, are of the first instant of the calendar."""
    if path.endswith("/live_status"):
        data["response"]["timestamp"] = NO_TIME
    rows = _rows(path, data)
    rows.extend([row | {"timestamp": NO_TIME} for row in rows[::3]])


def _rows(path: str, data: Json) -> Rows:
    found: Rows = (data["response"].get("time_series") if path.endswith("/calendar_history") else None) or []
    return found


CHANGES: Mapping[str, Change] = {
    "fault-1": _null,
    "fault-11": _repeated,
    "fault-13": _stale,
    "fault-17": _of_tomorrow,
    "fault-18": _timeless,
}
