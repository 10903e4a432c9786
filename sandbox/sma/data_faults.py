"""Faults of SMA's rows."""

from collections.abc import Mapping

from sandbox.data_faults import Change, Json, doubled, hour, in_gap

SPIKE_WH = 1_024_843.0


def _is_day(path: str) -> bool:
    return "/measurements/" in path and path.endswith("/Day")


def _without_rows(path: str, data: Json) -> None:
    if _is_day(path):
        data["set"] = []


def _repeated(path: str, data: Json) -> None:
    if _is_day(path):
        doubled(data["set"], {"pvGeneration": 0.0, "batteryCharging": 0.0, "batteryDischarging": 0.0})


def _spike(path: str, data: Json) -> None:
    """Two rows are missing, and the next one has the energy of a year."""
    if _is_day(path):
        data["set"] = [row for row in data["set"] if not 11 <= hour(row) <= 11.1]
        for row in data["set"]:
            if 11.1 < hour(row) < 11.2 and row.get("pvGeneration"):
                row["pvGeneration"] = SPIKE_WH


def _lump(path: str, data: Json) -> None:
    if not _is_day(path):
        return
    missing = [row for row in data["set"] if in_gap(row)]
    if missing:
        for name in ("pvGeneration", "batteryCharging", "batteryDischarging"):
            if name in missing[-1]:
                missing[-1][name] = sum(row[name] for row in missing)
    data["set"] = [row for row in data["set"] if not in_gap(row) or row is missing[-1]]


CHANGES: Mapping[str, Change] = {
    "fault-1": _without_rows,
    "fault-11": _repeated,
    "fault-15": _spike,
    "fault-16": _lump,
}
