"""A system in Berlin, its devices and its series, for the tests of both Enphase clouds."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.vendors.support import BASE, open_vendor
from vendors.kit import Level
from vendors.kit.series.read import intervals as read_intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

HERE = Path(__file__).parent
BERLIN = ZoneInfo("Europe/Berlin")
# By the system's clock ten minutes after 13:00 in summer, and 20:00 of the next day.
NOW = datetime(2026, 6, 16, 11, 10, tzinfo=UTC)
EVENING = datetime(2026, 6, 17, 18, 0, tzinfo=UTC)
SYSTEMS = f"{BASE}/api/v4/systems"
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
    """A reply with devices of these types, each by its serial number or by its members."""

    def entry(device):
        return {"id": 1, "status": "normal"} | (device if isinstance(device, dict) else {"serial_number": device})

    return {"system_id": 7, "devices": {name: [entry(device) for device in listed] for name, listed in types.items()}}


def epoch(*when):
    """A time of Berlin's clock in epoch seconds."""
    return int(datetime(*when, tzinfo=BERLIN).timestamp())


def seconds(*when):
    """A time of June in epoch seconds."""
    return epoch(2026, 6, *when)


def read(vendor, operation, key=KEY, level=Level.QUARTER, start=(16, 12), end=(16, 12, 30)):
    """The intervals between two times of June, as of NOW."""
    return intervals_of(open_vendor(vendor), operation, key, level, (2026, 6, *start), (2026, 6, *end), NOW)


def read_between(operation, level, start, end, key=KEY, cloud=None):
    """The intervals of the Monitoring API between two times of Berlin's clock, as of EVENING."""
    return intervals_of(open_vendor("enphase", cloud=cloud), operation, key, level, start, end, EVENING)


def intervals_of(plugin, operation, key, level, start, end, now):
    series = getattr(plugin, operation)(key, level)
    window = RequestedWindow(level, datetime(*start), datetime(*end)).widened(series.zone, now, series.since)
    return [interval for interval in read_intervals(series, window, 10_000, now) if isinstance(interval, Interval)]


def days_and_kwh(all_intervals):
    """The date and the energies of each interval."""
    return [(interval.start.astimezone(BERLIN).day, interval.kwh) for interval in all_intervals]


def telemetry(*rows, of=1):
    """A reply with these rows, of so many devices."""
    return {"total_devices": of, "intervals": list(rows)}


def params_of(network, part):
    """Parameters of the calls whose URL has this part, without those of a fixed value."""
    return [call.request.params for call in network.calls if part in call.request.url]


def solar_row(minute, wh, **of):
    return {"end_at": seconds(16, 12, minute), "enwh": wh} | of


def flow_row(minute, into=10, out=0, **of):
    return {"end_at": seconds(16, 12, minute), "charge": {"enwh": into}, "discharge": {"enwh": out}} | of


METER = {"serial_number": "m", "config_type": "Production", "state": "enabled"}
# Each series: the operation, its key and path, the devices of the system, and its rows.
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
