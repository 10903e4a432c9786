"""An account whose answers a test adds."""

import pytest

from tests.vendors.sma.played import NOW, PLANT, sample
from tests.vendors.support import BASE
from vendors.kit import Client


@pytest.fixture
def cloud(network, monkeypatch):
    """The account's plant 13 and its inverter 16 of 6 kW, at noon in June."""
    monkeypatch.setattr(Client, "now", NOW)
    network.assert_all_requests_are_fired = False
    network.get(f"{BASE}/v1/plants", json={"plants": [PLANT]})
    network.get(f"{BASE}/v1/devices/16", json=sample("device_16_detail_sandbox"))
    return network
