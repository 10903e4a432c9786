"""Faults of the rows of both clouds of Enphase."""

from collections.abc import Mapping

from sandbox.data_faults import Change, Json, doubled

_SILENT = 4


def _zeros(path: str, data: Json) -> None:
    """The last days of a lifetime are not yet known."""
    for name in ("production", "charge", "discharge"):
        if "lifetime" in path and isinstance(data.get(name), list):
            data[name][-3:] = [0] * len(data[name][-3:])


def _missing(path: str, data: Json) -> None:
    """Some microinverters are silent, and what is told is what the others gave."""
    if path.endswith("/production_micro"):
        of = data["total_devices"]
        n = max(1, of - _SILENT)
        for row in data["intervals"]:
            row |= {"devices_reporting": n, "enwh": int(row["enwh"] * n / of)}


def _repeated(path: str, data: Json) -> None:
    if "/telemetry" in path and isinstance(data.get("intervals"), list):
        doubled(data["intervals"], {"enwh": 0, "wh_del": 0})


def _sign(path: str, data: Json) -> None:
    """A power against the mode's word."""
    for one in data.get("devices", {}).get("encharges", []) if path.endswith("/latest_telemetry") else ():
        one["power"] = -one["power"]


CHANGES: Mapping[str, Change] = {
    "fault-1": _zeros,
    "fault-10": _missing,
    "fault-11": _repeated,
    "fault-12": _sign,
}
