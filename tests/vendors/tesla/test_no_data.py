"""Forms of answers without data: they give no interval in any series, and are never a fault of this server."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.vendors.support import intervals_between, open_vendor
from tests.vendors.tesla.played import SITE
from vendors.kit import Client, Level
from vendors.kit.calls.sweep import Sweep

NOW = datetime(2026, 6, 17, 20, 22, tzinfo=UTC)
SERIES = ["solar_intervals", "battery_intervals", "site_solar_intervals", "site_battery_intervals"]


@pytest.fixture
def play(network, monkeypatch):
    monkeypatch.setattr(Client, "now", NOW)

    def played(**answers):
        info = {"installation_time_zone": "America/Los_Angeles", "components": {"solar": True, "battery": True}}
        network.get(f"{SITE}/site_info", json={"response": info})
        live = {"solar_power": 5, "battery_power": 5, "timestamp": NOW.isoformat()}
        for name, body in ({"live_status": {"response": live}} | answers).items():
            network.get(f"{SITE}/{name}", json=body)
        return open_vendor("tesla")

    return played


def read(plugin, operation, level):
    """The intervals, and the failure if there was one."""
    all_intervals = []

    def run(plugin):
        series = getattr(plugin, operation)(("1",), level)
        all_intervals.extend(intervals_between(series, level, NOW - timedelta(hours=20), NOW, NOW))
        return []

    sweep = Sweep(plugin)
    sweep.run(run)
    return all_intervals, sweep.failure


@pytest.mark.parametrize("operation", SERIES)
@pytest.mark.parametrize("level", [Level.QUARTER, Level.DAY, Level.MONTH])
@pytest.mark.parametrize("response", [{"time_series": None}, {"time_series": []}, {"period": "day"}, {}])
def test_a_history_without_rows_is_no_interval_and_no_failure(play, operation, level, response):
    assert read(play(calendar_history={"response": response}), operation, level) == ([], None)


@pytest.mark.parametrize("operation", SERIES)
@pytest.mark.parametrize("response", [None, "", "no data"])
def test_a_history_that_is_no_object_is_the_vendor_s_failure(play, operation, response):
    _, failure = read(play(calendar_history={"response": response}), operation, Level.HOUR)
    assert (failure.code, failure.fault) == ("backend_error", "vendor")
    assert "no data" in failure.detail


@pytest.mark.parametrize("name", ["live_status", "calendar_history"])
@pytest.mark.parametrize("response", [None, "", "no data"])
def test_a_detail_survives_values_that_are_no_object(play, name, response):
    plugin = play(**({"calendar_history": {"response": {}}} | {name: {"response": response}}))
    inverter = plugin.solar_inverter(("1",))
    assert (inverter.power_kw is None) == (name == "live_status")
    assert {failure.code for failure in plugin.client.progress.failures} == {"backend_error"}
