"""What tests of both Enphase clouds share: a system in Berlin, its devices, and each of its series."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.vendors.support import open_vendor
from vendors.kit import Level
from vendors.kit.series.read import intervals as read_intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

HERE = Path(__file__).parent
BERLIN = ZoneInfo("Europe/Berlin")
# An hour after noon in summer, by the system's clock.
NOW = datetime(2026, 6, 16, 11, 10, tzinfo=UTC)
KEY, MICRO, ENCHARGE = ("7",), ("7", "9"), ("7", "8")
BOTH = pytest.mark.parametrize("vendor", ["enphase", "enphasevpp"])
SYSTEM = {"system_id": 7, "timezone": "Europe/Berlin", "operational_at": 1_500_000_000}
NAMES = {
    "enphase": {"/events": "/open_events", "/lifetime": "/energy_lifetime"},
    "enphasevpp": {"/events": "/site_open_events", "/lifetime": "/production_lifetime"},
}


def error(status, number):
    """A published refusal."""
    return json.loads((HERE / "errors" / f"{status}-{number:02}.json").read_text())


def devices(**types):
    """An answer with devices of these types, by their serial numbers or with members of their own."""

    def entry(one):
        return {"id": 1, "status": "normal"} | (one if isinstance(one, dict) else {"serial_number": one})

    return {"system_id": 7, "devices": {name: [entry(one) for one in found] for name, found in types.items()}}


def seconds(*when):
    return int(datetime(2026, 6, *when, tzinfo=BERLIN).timestamp())


def read(vendor, operation, key=KEY, level=Level.QUARTER, start=(16, 12), end=(16, 12, 30)):
    plugin = open_vendor(vendor)
    found = getattr(plugin, operation)(key, level)
    window = RequestedWindow(level, datetime(2026, 6, *start), datetime(2026, 6, *end)).widened(
        found.zone, NOW, found.since
    )
    return [one for one in read_intervals(found, window, 100, NOW) if isinstance(one, Interval)]


def solar_row(minute, wh, **of):
    return {"end_at": seconds(16, 12, minute), "enwh": wh} | of


def flow_row(minute, into=10, out=0, **of):
    return {"end_at": seconds(16, 12, minute), "charge": {"enwh": into}, "discharge": {"enwh": out}} | of


METER = {"serial_number": "m", "config_type": "Production", "state": "enabled"}
# Each series: what is read, with which key, its path, the devices of the system, and its rows.
SERIES = {
    "meter": ("site_solar_intervals", KEY, "/telemetry/production_meter", devices(meters=[METER]),
              [{"end_at": seconds(16, 12, 15 * n), "wh_del": 100 * n} for n in (1, 2)], [(0.1,), (0.2,)]),
    "micros": ("site_solar_intervals", KEY, "/telemetry/production_micro", devices(micros=["9"]),
               [solar_row(5 * n, 10 * n) for n in range(1, 7)], [(0.06,), (0.15,)]),
    "micro": ("solar_intervals", MICRO, "/devices/micros/9/telemetry", devices(micros=["9"]),
              [solar_row(5 * n, 10 * n) for n in range(1, 7)], [(0.06,), (0.15,)]),
    "batteries": ("site_battery_intervals", KEY, "/telemetry/battery", devices(encharges=["8"]),
                  [flow_row(15, 10, 0), flow_row(30, 0, 20)], [(0.01, 0.0), (0.0, 0.02)]),
    "battery": ("battery_intervals", ENCHARGE, "/devices/encharges/8/telemetry", devices(encharges=["8"]),
                [flow_row(15, 10, 0), flow_row(30, 0, 20)], [(0.01, 0.0), (0.0, 0.02)]),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", list(SERIES))
