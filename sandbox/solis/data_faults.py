"""Faults of Solis' counters, units and answers."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.data_faults import NOON, Change, Json, hour, in_gap


def _silent(path: str, data: Json) -> None:
    if path.endswith("/inverterDay"):
        data["data"] = None


def _zeroed(path: str, data: Json) -> None:
    """As a device that never reported."""
    if path.endswith("/inverterDetail"):
        data["data"] = {"pac": 0, "pacStr": "kW", "eToday": 0, "eTotal": 0, "batteryCapacitySoc": 0}
    _silent(path, data)


def _unit(path: str, data: Json) -> None:
    """The third day of a month in a unit that does not exist."""
    if path.endswith(("/inverterMonth", "/stationMonth")) and len(data["data"]) > 2:
        data["data"][2]["energyStr"] = "kJ"


def _pec(path: str, data: Json) -> None:
    if path.endswith(("/inverterMonth", "/stationMonth")):
        for row in data["data"]:
            row |= {"energyStr": "MWh", "energyPec": "0.001"}


def _counters(change: Callable[[dict[str, Any], str, float], float]) -> Change:
    """Changes the counters of a day's rows after noon; `change` gives the new reading of one."""

    def apply(path: str, data: Json) -> None:
        if not path.endswith("/inverterDay"):
            return
        names = ("eToday", "batteryTodayChargeEnergy", "batteryTodayDischargeEnergy")
        at_noon: dict[str, float] = {}
        for row in data["data"]:
            for name in names:
                if name in row and hour(row) >= NOON:
                    at_noon.setdefault(name, row[name])
                    row[name] = round(change(row, name, at_noon[name]), 1)

    return apply


def _replaced(row: dict[str, Any], name: str, at_noon: float) -> float:
    """A new device, whose counters began at 0 at noon; and one row of zeros an hour later."""
    return 0.0 if NOON + 1 <= hour(row) < NOON + 1.09 else row[name] - at_noon


def _fallen(row: dict[str, Any], name: str, at_noon: float) -> float:
    """A counter that falls by half at noon, by a whole number of its steps, and rises on from there."""
    return row[name] - round(0.5 * at_noon, 1)  # type: ignore[no-any-return]


def _gap(path: str, data: Json) -> None:
    if path.endswith("/inverterDay"):
        data["data"] = [row for row in data["data"] if not in_gap(row)]


def _repeated(path: str, data: Json) -> None:
    if path.endswith("/inverterDay"):
        rows = data["data"]
        rows[:] = rows[::2] + rows[::-1]


def _unsigned(path: str, data: Json) -> None:
    """Only the size of a battery's power, and the sign of its current."""
    if path.endswith("/inverterDetail"):
        for name in ("batteryPowerZheng", "batteryPowerFu"):
            data["data"].pop(name, None)
        data["data"]["batteryPower"] = abs(data["data"]["batteryPower"])


def _stale(path: str, data: Json) -> None:
    if path.endswith(("/inverterDetail", "/stationDetail")) and "dataTimestamp" in data["data"]:
        data["data"]["dataTimestamp"] = str(int(data["data"]["dataTimestamp"]) - 3 * 3_600_000)
        data["data"] |= {"pac": 2.5, "state": 2, "stateExceptionFlag": 1}


NO_BATTERY = {
    "batteryType": "No Battery",
    "batteryNum": 0,
    "batteryList": [{"batteryType": 0, "batteryTypeName": "No Battery", "battSn": "", "noBattery": None}],
    "batteryVoltage": 0.0,
    "batteryHealthSoh": 0.0,
}
AT_REST = {"batteryCapacitySoc": 0.0, "batteryPower": 0.0, "batteryPowerZheng": 0.0, "batteryPowerFu": 0}


def _taken_away(path: str, data: Json) -> None:
    """Batteries of hybrids are gone: their counters stay, and everything else says so."""
    if path.endswith("/inverterDetail"):
        data["data"] |= NO_BATTERY | AT_REST
    elif path.endswith("/inverterList"):
        for row in data["data"]["page"]["records"]:
            row |= {"batteryCapacitySoc": 0.0, "batteryPower": 0.0}
    elif path.endswith("/stationDetail"):
        data["data"] |= AT_REST | {"batteryPercent": 0}
        data["data"].pop("batteryCapacitySoc")


CHANGES: Mapping[str, Change] = {
    "fault-1": _zeroed,
    "fault-3": _unit,
    "fault-4": _pec,
    "fault-8": _counters(_replaced),
    "fault-9": _counters(_fallen),
    "fault-10": _silent,
    "fault-11": _repeated,
    "fault-12": _unsigned,
    "fault-13": _stale,
    "fault-16": _gap,
    "no-battery": _taken_away,
}
