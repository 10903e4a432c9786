"""Answers of Tesla that its tests share."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.vendors.support import BASE, recorded, records_of

SITE = f"{BASE}/api/1/energy_sites/1"
# The present of the recorded cases, which are of New York.
NOON = datetime(2026, 3, 12, 20, tzinfo=UTC)

UNIT = {
    "device_id": "00000000-0000-0000-0000-000000000001",
    "din": "1707000-11-J--TG000000000001",
    "serial_number": "TG000000000001",
    "part_name": "Powerwall 3",
    "is_active": True,
    "nameplate_power_watts": 11520.0,
    "nameplate_energy_watts": 13500.0,
}


sample = partial(recorded, "tesla")


def recorded_case(name):
    """The answers of a recorded case, by method and path."""
    return json.loads((Path(__file__).parent / "odd" / f"{name}.json").read_text())["replies"]


def devices(plugin, kind):
    """The devices of a kind at site 1, by key."""
    return {device.key: device for device in records_of(plugin.devices("1")) if isinstance(device, kind)}
