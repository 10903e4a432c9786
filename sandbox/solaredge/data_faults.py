"""Faults of SolarEdge's buckets and units."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.data_faults import NOON, Change, Json, doubled, hour

NIGHT_WH = 250.0


def _each_series(data: Json, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes everything that has `values`, however deep."""
    if isinstance(data, dict):
        if isinstance(data.get("values"), list):
            change(data)
        for inner in data.values():
            _each_series(inner, change)


def _buckets(change: Callable[[dict[str, Any]], None]) -> Change:
    return lambda path, data: _each_series(data, change)


def _null_bucket(series: dict[str, Any]) -> None:
    for row in series["values"]:
        if NOON <= hour(row) < NOON + 1:
            row["value"] = None


def _larger_unit(series: dict[str, Any]) -> None:
    """In thousands of what was asked for; energies of batteries in a unit that is none."""
    if series["unit"] == "WH":
        series["unit"] = "KWH"
        for row in series["values"]:
            row["value"] = None if row["value"] is None else row["value"] / 1000


def _repeated(series: dict[str, Any]) -> None:
    doubled(series["values"], {"value": 0.0})


def _last_null(series: dict[str, Any]) -> None:
    known = [row for row in series["values"] if row["value"] is not None]
    if known:
        known[-1]["value"] = None


def _dc_coupled(path: str, data: Json) -> None:
    """Batteries behind an inverter, whose output at night counts as production."""
    if path.endswith("/devices"):
        inverters = [device["serialNumber"] for device in data if device["type"] == "INVERTER"]
        for device in data:
            if device["type"] == "BATTERY":
                device["connectedTo"] = inverters[0]
    elif path.endswith(("/energy", "/inverters/telemetry")):
        _each_series(data, _output_at_night)


def _output_at_night(series: dict[str, Any]) -> None:
    for row in series["values"]:
        if row["value"] is None:
            row["value"] = NIGHT_WH


def _of_tomorrow(series: dict[str, Any]) -> None:
    """Every third row of a day is there once more, on the date after its own."""
    for row in series["values"][::3] if series["resolution"] in ("QUARTER_HOUR", "HOUR") else ():
        tomorrow = datetime.fromisoformat(row["timestamp"]) + timedelta(days=1)
        series["values"].append(row | {"timestamp": tomorrow.isoformat()})


def _replaced(path: str, data: Json) -> None:
    """Each device took the place of another, which stays in the list under the same name; and all are listed twice."""
    if path.endswith("/devices"):
        former = [device | {"serialNumber": f"OLD-{device['serialNumber']}", "active": False} for device in data]
        data[:] = [*former, *data, *data]


def _another(path: str, data: Json) -> None:
    """A site's answer is about the next one."""
    if isinstance(data, dict) and "accountId" in data:
        data["siteId"] += 1


CHANGES: Mapping[str, Change] = {
    "fault-1": _buckets(_null_bucket),
    "fault-3": _buckets(_larger_unit),
    "fault-11": _buckets(_repeated),
    "fault-13": _buckets(_last_null),
    "fault-14": _dc_coupled,
    "fault-17": _buckets(_of_tomorrow),
    "fault-19": _replaced,
    "fault-20": _another,
}
