"""Clients that store credentials."""

import pytest

from tests.app.credentials.support import Caller


@pytest.fixture
def client(app):
    return Caller(app, "production")


@pytest.fixture
def other(app):
    """Another client."""
    return Caller(app, "production")
