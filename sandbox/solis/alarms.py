"""Alarms of an inverter, where they are switched on: the newest is pending, those before it are over."""

from typing import Any

from sandbox.solis.inverters import Inverter

COUNT = 199
APART_SECONDS, LASTED_SECONDS = 8 * 3600, 300
PENDING, RESTORED = "0", "2"


def alarms(unit: Inverter, now: float) -> list[dict[str, Any]]:
    """The newest first; none from before the inverter was there."""
    begins = (now - LASTED_SECONDS - number * APART_SECONDS for number in range(COUNT))
    return [_alarm(unit, begin, is_over=number > 0) for number, begin in enumerate(begins) if begin > unit.begun]


def _alarm(unit: Inverter, begin: float, *, is_over: bool) -> dict[str, Any]:
    over = {"alarmEndTime": int(begin + LASTED_SECONDS) * 1000, "alarmLong": str(LASTED_SECONDS * 1000)}
    return {
        "id": "-1",
        "stationId": unit.device.native["stationId"],
        "alarmDeviceSn": unit.device.serial,
        "alarmDeviceType": "1",
        "alarmType": 0,
        "alarmLevel": "2",
        "alarmCode": "1015",
        "alarmMsg": "NO-Grid",
        "alarmBeginTime": int(begin) * 1000,
        **(over if is_over else {}),
        "state": RESTORED if is_over else PENDING,
        "advice": "",
        "model": "1e",
        "warningInfoData": 0,
        "type": 0,
    }
