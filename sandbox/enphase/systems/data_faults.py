"""Faults of the rows of both clouds of Enphase."""

from collections.abc import Mapping

from sandbox.data_faults import Change, Json, Rows, doubled
from sandbox.enphase.systems.constants import DAY_SECONDS

SILENT = 4


def _zeros(path: str, data: Json) -> None:
    """The last days of a lifetime are not yet known."""
    for name in ("production", "charge", "discharge"):
        if "lifetime" in path and isinstance(data.get(name), list):
            data[name][-3:] = [0] * len(data[name][-3:])


def _missing(path: str, data: Json) -> None:
    """Some microinverters are silent, and the rows hold the energy of the others."""
    if path.endswith("/production_micro"):
        of = data["total_devices"]
        n = max(1, of - SILENT)
        for row in data["intervals"]:
            row |= {"devices_reporting": n, "enwh": int(row["enwh"] * n / of)}


def _repeated(path: str, data: Json) -> None:
    if "/telemetry" in path and isinstance(data.get("intervals"), list):
        doubled(data["intervals"], {"enwh": 0, "wh_del": 0})


def _sign(path: str, data: Json) -> None:
    """A power against the mode's word."""
    for battery in data.get("devices", {}).get("encharges", []) if path.endswith("/latest_telemetry") else ():
        battery["power"] = -battery["power"]


def _of_tomorrow(path: str, data: Json) -> None:
    """Every third row is there once more, a day later, unless that is within the time of the answer."""
    rows = _rows(path, data)
    last = max((row["end_at"] for row in rows), default=0)
    copies = [row | {"end_at": row["end_at"] + DAY_SECONDS} for row in rows[::3]]
    rows.extend([copy for copy in copies if copy["end_at"] > last])


def _replaced(path: str, data: Json) -> None:
    """Each device took the place of another, which is still listed; all come twice, and truth is written as text."""
    lists = data.get("devices", {}) if path.endswith(("/devices", "/latest_telemetry")) else {}
    for kind in ("micros", "meters", "encharges", "acbs"):
        devices = lists.get(kind, [])
        former = [device | {"id": device["id"] + 50_000_000} for device in devices]
        for device in former if path.endswith("/devices") else ():
            device |= {"serial_number": f"9{device['serial_number']}", "active": "false"}
        for device in former if path.endswith("/latest_telemetry") else ():
            device["power"] = None
        for device in devices if path.endswith("/devices") else ():
            device["active"] = "true"
        devices[:] = [*former, *devices, *devices]


def _another(path: str, data: Json) -> None:
    """An answer about one system is about the next one."""
    if isinstance(data, dict) and "system_id" in data:
        data["system_id"] += 1


def _nested(path: str, data: Json) -> None:
    if "/telemetry" in path and isinstance(data.get("intervals"), list):
        data["intervals"] = [data["intervals"]]


def _over(path: str, data: Json) -> None:
    """Open entries come twice, and entries that are over stand among them."""
    for name, began in (("events", "event_start_time"), ("alarms", "alarm_start_time")):
        entries = data.get(name, []) if "open" in path else []
        end = began.replace("start", "end")
        closed = [entry | {"status": "Closed", "cleared": True, end: entry[began]} for entry in entries]
        entries.extend([*entries, *closed])


def _rows(path: str, data: Json) -> Rows:
    rows: Rows = data.get("intervals") or [] if "/telemetry" in path else []
    return rows


CHANGES: Mapping[str, Change] = {
    "fault-1": _zeros,
    "fault-10": _missing,
    "fault-11": _repeated,
    "fault-12": _sign,
    "fault-17": _of_tomorrow,
    "fault-19": _replaced,
    "fault-20": _another,
    "fault-21": _nested,
    "fault-22": _over,
}
