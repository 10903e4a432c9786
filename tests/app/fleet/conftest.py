"""Fixtures: a vendor with several accounts, and the inventory over it."""

import pytest

from tests.app.fleet.accounts import Accounts, Fleet


@pytest.fixture
def accounts(network):
    return Accounts(network)


@pytest.fixture
def fleet(app, service_clock):
    return Fleet(app.extensions["services"].id_table, service_clock)
