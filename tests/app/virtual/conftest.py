"""Clients of both modes."""

import pytest

from tests.app.virtual.support import Caller


@pytest.fixture
def virtual(app):
    """A client of mode virtual."""
    return Caller(app, "virtual")


@pytest.fixture
def other(app):
    """Another client of mode virtual."""
    return Caller(app, "virtual")


@pytest.fixture
def production(app):
    """A client with real devices."""
    return Caller(app, "production")
