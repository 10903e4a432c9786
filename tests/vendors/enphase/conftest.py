"""One of the clouds, whose answers a test adds by path."""

import pytest

from tests.vendors.enphase.played import NAMES, NOW, SYSTEM
from tests.vendors.support import BASE
from vendors.kit import Client


@pytest.fixture
def cloud(network, monkeypatch):
    """Answers of one of the clouds about system 7, by their path below it."""
    monkeypatch.setattr(Client, "now", NOW)

    def opened(vendor):
        base = f"{BASE}/api/v4/systems" if vendor == "enphase" else f"{BASE}/api/v1/systems"
        network.get(f"{BASE}/api/v1/programs", json={"total_count": 1, "programs": [{"program_id": "a"}]})
        network.get(f"{base}/search/a", json={"total": 1, "systems": [SYSTEM]})
        network.get(f"{base}/7", json=SYSTEM)
        network.get(f"{base}/inverters_summary_by_envoy_or_site", json=[])
        network.get(f"{base}/event_types", json={"event_types": []})
        network.get(f"{base}/config/7/battery_settings", json={"system_id": 7})

        def add(path, body, status=200):
            name = NAMES[vendor].get(path, path)
            network.get(f"{base}/7{name}", json=body, status=status)
            return network

        return add

    return opened
