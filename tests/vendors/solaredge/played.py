"""A site in Chicago, its devices and their series, for the tests of SolarEdge."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.vendors.support import BASE, open_vendor
from vendors.kit import Client, Level
from vendors.kit.series.read import intervals as read_intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

HERE = Path(__file__).parent
CHICAGO = {"siteId": 1, "installationDate": "2019-04-01T00:00:00-05:00", "location": {"timezone": "America/Chicago"}}
SITE = BASE + "/v2/sites/1"


def sample(name):
    return json.loads((HERE / f"{name}.json").read_text())


def series(unit, *values):
    stamps = (f"2026-06-01T10:{15 * number:02}:00+02:00" for number in range(len(values)))
    rows = [{"timestamp": at, "value": value} for at, value in zip(stamps, values, strict=True)]
    return {"unit": unit, "values": rows}


def device(kind, serial_number, **members):
    return {"type": kind, "serialNumber": serial_number, "active": True, "name": f"{kind} 1"} | members


SWAPPED = [
    device("INVERTER", "OLD", active=False),
    device("INVERTER", "NEW"),
    device("BATTERY", "BATT-001", active=False),
    device("BATTERY", "BATT-002"),
]


def flows(*watts, soc=67.8, **of):
    """A battery that charges with these powers, a quarter each."""
    zeros = [0.0] * len(watts)
    return {
        "chargePower": series("W", *watts),
        "dischargePower": series("W", *zeros),
        "chargeEnergy": series("WH", *(watt / 4 for watt in watts)),
        "dischargeEnergy": series("WH", *zeros),
        "stateOfEnergy": series("PERCENTAGE", *[soc] * len(watts)),
    } | of


def at(*stamps_and_wh, **of):
    return {"unit": "WH", "values": [{"timestamp": stamp, "value": wh} for stamp, wh in stamps_and_wh]} | of


def read(operation, level, window, key=("1",)):
    """The intervals of a window on the site's clock."""
    series = getattr(open_vendor("solaredge"), operation)(key, level)
    widened = RequestedWindow(level, *window).widened(series.zone, Client.now, series.since)
    return [interval for interval in read_intervals(series, widened, 100, Client.now) if isinstance(interval, Interval)]


def quarters(operation, key=("1",)):
    """The intervals of the hour after 08:00 UTC."""
    window = datetime(2026, 6, 1, 8, tzinfo=UTC), datetime(2026, 6, 1, 9, tzinfo=UTC)
    return read(operation, Level.QUARTER, window, key)
