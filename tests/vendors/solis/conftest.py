"""An account whose answers a test adds."""

import pytest

from tests.vendors.solis.played import API, NOW, success
from vendors.kit import Client


@pytest.fixture
def cloud(network, monkeypatch):
    """An account without alarms, at noon in August."""
    monkeypatch.setattr(Client, "now", NOW)
    network.assert_all_requests_are_fired = False
    network.post(f"{API}/alarmList", json=success({"records": [], "total": 0, "pages": 0}))
    return network
