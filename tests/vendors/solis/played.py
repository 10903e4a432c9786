"""Answers of SolisCloud that its tests share: of a station with one inverter."""

from datetime import UTC, datetime
from functools import partial

from tests.vendors.support import BASE, recorded

API = f"{BASE}/v1/api"
NOW = datetime(2026, 8, 22, 10, 0, tzinfo=UTC)
STATION, INVERTER, SERIAL = "1300000000000000009", "1300000000000000001", "000000000000001"
SINCE = datetime(2022, 8, 19, 16, tzinfo=UTC)

sample = partial(recorded, "solis")


def milliseconds(at):
    return str(int(at.timestamp()) * 1000)


def success(data):
    return {"code": "0", "data": data}


def listed(*rows):
    """The only page of a list."""
    return success({"page": {"pages": 1, "records": list(rows)}})


def station(**members):
    first_day = int(SINCE.timestamp()) * 1000
    return success({"id": STATION, "timeZone": 2, "fisGenerateTime": first_day, **members})


def with_battery(**members):
    """Detail of the inverter with a battery."""
    raw = sample("inverterDetail-no-battery")["data"] | {"batteryType": "1.0", "batteryList": [], "batteryNum": 1}
    return raw | {"batteryTotalChargeEnergy": 7332.0, "batteryCapacitySoc": 55.0, "batteryVoltage": 51.2} | members
