"""A site to which a test adds replies by path."""

from datetime import UTC, datetime

import pytest

from tests.vendors.solaredge.played import CHICAGO, SITE
from vendors.kit import Client


@pytest.fixture
def installed(network, monkeypatch):
    """A site in Chicago on the morning of the first of June; a test adds further replies by path."""
    monkeypatch.setattr(Client, "now", datetime(2026, 6, 1, 9, 20, tzinfo=UTC))
    network.get(SITE, json=CHICAGO)

    def add(path, body, **more):
        network.get(SITE + path, json=body, **more)
        return network

    return add
