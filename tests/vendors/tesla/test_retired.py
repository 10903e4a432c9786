"""A site that was taken down, and a site whose calls fail once with the same text."""

from datetime import timedelta

import pytest

from tests.vendors.support import BASE, cloud_of, intervals_between, open_vendor
from tests.vendors.tesla.played import NOON, recorded_case, sample
from vendors.kit import Client, Level, Permanent
from vendors.kit.calls.breaker import FAULTS
from vendors.kit.calls.sweep import Sweep

CASE = recorded_case("site_info_fails_once")
WELL = CASE["GET /api/1/energy_sites/1/site_info"][1]["json"]
FAILED = sample("errors/energy-site-upstream-500")
BATTERY = ("1", "3012170-05-B--TG000000000004")


@pytest.fixture
def play(network, monkeypatch):
    """Site 1, whose answers of these names fail so many times first."""
    monkeypatch.setattr(Client, "now", NOON)
    answers = {
        "site_info": WELL,
        "live_status": {"response": {"solar_power": 4200, "timestamp": "2026-03-12T19:58:00Z"}},
        "calendar_history": {
            "response": {"time_series": [{"timestamp": "2026-03-12T08:00:00-05:00", "solar_energy_exported": 1000}]}
        },
    }

    def played(failures=1, names=tuple(answers)):
        network.get(f"{BASE}/api/1/products", json=CASE["GET /api/1/products"])
        for name, body in answers.items():
            url = f"{BASE}/api/1/energy_sites/1/{name}"
            for _ in range(failures if name in names else 0):
                network.get(url, status=500, json=FAILED)
            if failures < 2 or name not in names:
                network.get(url, json=body)
        return network

    return played


def swept(read, cloud=None, **how):
    sweep = Sweep(open_vendor("tesla", cloud=cloud, **how))
    sweep.run(read)
    return sweep


def series(plugin):
    hours = plugin.site_solar_intervals(("1",), Level.HOUR)
    return intervals_between(hours, Level.HOUR, NOON - timedelta(hours=10), NOON, NOON)


def test_a_site_whose_call_fails_once_is_read_again_and_has_all_its_devices(play):
    play(names=("site_info",))
    sweep = swept(lambda plugin: plugin.devices())
    assert (len(sweep.records), sweep.failure, sweep.incomplete) == (2, None, "")


def test_live_values_and_histories_whose_calls_fail_once_are_read_again(play):
    play()
    plugin = open_vendor("tesla")
    inverter = plugin.solar_inverter(("1",))
    assert (inverter.power_kw, inverter.recent_production.kwh, inverter.lifetime_production.kwh) == (4.2, 1.0, 1.0)
    assert plugin.battery(BATTERY).measured_at
    assert plugin.client.progress.failures == []


def test_intervals_whose_call_fails_once_are_read_again(play):
    play(names=("calendar_history",))
    assert [hour.kwh for hour in series(open_vendor("tesla"))] == [(1.0,)]


@pytest.mark.parametrize("name", ["site_info", "live_status", "calendar_history"])
def test_a_site_whose_calls_fail_twice_is_reported_as_shown_no_longer(play, name):
    network = play(2, (name,))
    read = {"site_info": lambda plugin: plugin.devices("1"), "live_status": lambda plugin: [plugin.site(("1",))]}
    failure = swept(read.get(name, series)).failure
    assert (failure.code, failure.status, failure.fault) == ("shown_no_longer", 502, "vendor")
    assert "shows this site or device no longer" in failure.detail
    assert "minutes" not in failure.advice
    assert sum(name in call.request.url for call in network.calls) == 2


def test_a_retired_site_costs_a_list_that_site_alone(play):
    network = play(2, ("site_info",))
    sites = [{"energy_site_id": number, "components": {"solar": True}} for number in (1, 2, 3)]
    network.replace("GET", f"{BASE}/api/1/products", json={"response": sites})
    for number in (2, 3):
        network.get(f"{BASE}/api/1/energy_sites/{number}/site_info", json={"response": {"components": {"solar": True}}})
    sweep = swept(lambda plugin: plugin.devices())
    assert len(sweep.records) == 2
    url = f"{BASE}/api/1/energy_sites/1/site_info"
    why = "(the vendor shows this site or device no longer) (incomplete: 2 of 3 sites)"
    assert f"{sweep.failure}{sweep.incomplete}" == f"Bad Gateway: {url} {why}"


def test_a_failing_list_is_the_vendor_s_failure_and_no_retired_site(network):
    network.get(f"{BASE}/api/1/products", status=500, json=FAILED)
    assert swept(lambda plugin: plugin.sites()).failure.code == "backend_error"


def test_a_failure_without_a_second_call_is_not_reported_as_permanent(play):
    play(2)
    cloud = cloud_of("tesla")
    while cloud.retries.take():
        pass
    assert swept(lambda plugin: plugin.devices("1"), cloud).failure.code == "backend_error"
    assert swept(lambda plugin: plugin.devices("1"), cloud_of("tesla"), seconds=0.5).failure.code == "backend_error"


def test_a_failure_after_another_failure_is_not_reported_as_permanent(play):
    network = play(2)
    network.replace("GET", f"{BASE}/api/1/energy_sites/1/site_info", status=502)
    network.get(f"{BASE}/api/1/energy_sites/1/site_info", status=500, json=FAILED)
    assert swept(lambda plugin: plugin.devices("1")).failure.code == "backend_error"


def test_retired_sites_do_not_open_the_breaker_for_other_sites(play):
    network, cloud = play(2, ("site_info",)), cloud_of("tesla")
    for number in range(FAULTS + 1):
        headers = {"X-Authorization-tesla": f"Bearer owner-{number}"}
        failure = swept(lambda plugin: plugin.devices("1"), cloud, headers=headers).failure
        assert failure.code in ("shown_no_longer", "backend_error")
    network.get(f"{BASE}/api/1/energy_sites/2/site_info", json={"response": {"components": {"solar": True}}})
    assert len(swept(lambda plugin: plugin.devices("2"), cloud).records) == 1


def test_a_permanent_failure_has_no_wait_and_does_not_stop_the_sweep():
    failure = Permanent("url", "why")
    assert failure.once().code == "backend_error"
    assert (failure.retry_after, failure.stops_the_sweep) == (None, False)
