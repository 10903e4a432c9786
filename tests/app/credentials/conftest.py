"""Clients that store credentials."""

import pytest

from tests.app.credentials.support import VARIANTS, Caller
from vendors.kit.registry import discover
from vendors.kit.variants import Variant
from vendors.kit.vendor import Vendor


@pytest.fixture(autouse=True)
def temporary_variants(monkeypatch):
    class Franklin(Vendor):
        hosts = {"franklinwh": {"main": "https://x.test"}}

    plugins = dict(sorted({**discover(), "franklinwh": Franklin}.items()))
    for plugin in set(plugins.values()):
        monkeypatch.setattr(
            plugin,
            "variants",
            [Variant(t, {m: m for m in ms}) for (v, t), ms in VARIANTS.items() if v == list(plugin.hosts)[0]],
        )
    monkeypatch.setattr("app.fleet.clouds.discover", lambda: plugins)


@pytest.fixture
def client(app):
    return Caller(app, "production")


@pytest.fixture
def other(app):
    """Another client."""
    return Caller(app, "production")
