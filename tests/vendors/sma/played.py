"""Answers of SMA that its tests share: of plant 13 and its inverter 16, of 6 kW."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.vendors.support import BASE, intervals_between, open_vendor, recorded

NOW = datetime(2026, 6, 17, 12, 7, tzinfo=UTC)
PLANT = {"plantId": "13", "name": "Plant", "timezone": "Europe/Berlin"}
BALANCE = f"{BASE}/v1/plants/13/measurements/sets/EnergyBalance"
PRODUCTION = f"{BASE}/v1/devices/16/measurements/sets/EnergyAndPowerPv"

sample = partial(recorded, "sma")


def of_site(level, start=datetime(2026, 6, 16), end=datetime(2026, 6, 17)):
    """Intervals of the plant's solar energy."""
    return intervals_between(open_vendor("sma").site_solar_intervals(("13",), level), level, start, end, NOW)


def of_inverter(level, start=datetime(2026, 6, 16), end=datetime(2026, 6, 17)):
    """Intervals of the inverter's energy."""
    return intervals_between(open_vendor("sma").solar_intervals(("16",), level), level, start, end, NOW)


def shown(intervals):
    """Start on the plant's clock (in June), energy and quality."""
    return [
        (
            f"{interval.start + timedelta(hours=2):%H:%M}",
            pytest.approx(interval.kwh[0]),
            interval.quality.name.lower(),
        )
        for interval in intervals
    ]


def day(resolution, *rows):
    """An answer with solar energy in rows of this resolution."""
    return {"resolution": resolution, "set": [{"time": time, "pvGeneration": wh} for time, wh in rows]}


def recent(*rows, resolution="FiveMinutes"):
    """An answer with the newest rows, at these times of today."""
    return {"resolution": resolution, "set": [{"time": f"2026-06-17T{time}:00", **values} for time, values in rows]}
