"""Enphase's clouds, to which a test adds replies by path."""

import pytest

from tests.vendors.enphase.played import EVENING, NAMES, NOW, SYSTEM, SYSTEMS
from tests.vendors.support import BASE
from vendors.kit import Client


@pytest.fixture
def cloud(network, monkeypatch):
    """Opens a cloud with system 7, to which a test adds replies by their path below the system."""
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


@pytest.fixture
def system(network, monkeypatch):
    """System 7 of the Monitoring API in the evening, to which a test adds replies by path."""
    monkeypatch.setattr(Client, "now", EVENING)
    network.get(SYSTEMS + "/7", json={"system_id": 7, "timezone": "Europe/Berlin", "operational_at": 1_500_000_000})

    def add(path, body, status=200):
        network.get(SYSTEMS + path, json=body, status=status)
        return network

    return add
