"""A site whose answers a test adds by path."""

from datetime import UTC, datetime

import pytest

from tests.vendors.solaredge.played import CHICAGO, SITE
from vendors.kit import Client


@pytest.fixture
def installed(network, monkeypatch):
    """A site in Chicago on the morning of the first of June; `add` gives it further answers by path."""
    monkeypatch.setattr(Client, "now", datetime(2026, 6, 1, 9, 20, tzinfo=UTC))
    network.get(SITE, json=CHICAGO)

    def add(path, body, **more):
        network.get(SITE + path, json=body, **more)
        return network

    return add
