"""What requests cost, as X-Vendor-Calls shows it and `?dryRun=true` foresees it, against the calls that each vendor's
emulator counts.

Nothing here knows a vendor by name. What differs between vendors is declared by its plugin.
"""

import pytest

import sandbox
from app.config import Settings
from sandbox.server import running
from tests.services import PLAYED_VENDORS, Played, Service
from vendors.kit.calls.pipeline import MAX_AGE_SECONDS
from vendors.kit.calls.quota import Quota
from vendors.kit.registry import discover

LISTS = ("/sites", "/solar-inverters", "/batteries")
REFRESH = {"Cache-Control": "no-cache"}
HOURS = 3 * 3600.0

each_vendor = pytest.mark.parametrize("name", PLAYED_VENDORS)


class Clock:
    """The clock of what expires in the service."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A service, the clouds behind it, and the service's clock."""
    with running(sandbox.create_app(8, 1)) as url:
        settings = Settings(
            secret_key="s" * 32,
            id_key="i" * 32,
            database_url=f"sqlite:///{tmp_path_factory.mktemp('costs') / 'derapi.db'}",
            embedded=True,
            log_level="ERROR",
            sandbox_url=url,
        )
        clock = Clock()
        service = Service(settings, clock=clock)
        yield service, Played(url), clock
        service.app.extensions["services"].close()


@pytest.fixture
def clock(world):
    """The clock, moved on so far that nothing is kept of another test."""
    _, _, clock = world
    clock.now += MAX_AGE_SECONDS + 1
    return clock


@pytest.fixture
def service(world, clock):
    return world[0]


@pytest.fixture
def played(world):
    return world[1]


def estimate(service, path, headers):
    """The estimate for a list, which itself costs nothing."""
    answer = service.get(f"{path}{'&' if '?' in path else '?'}dryRun=true", headers)
    assert answer.status_code == 200, answer.text
    assert set(answer.headers["X-Vendor-Calls"].replace(", ", " ").split()) <= {f"{name}=0" for name in PLAYED_VENDORS}
    assert answer.json["dryRun"] is True
    return answer.json["vendors"]


def calls_of(played, name):
    return sum(played.calls(name).values())


def made(service, played, name, path, headers):
    """The calls that a list makes, as the emulator counts them and as the response shows them."""
    calls_of(played, name)
    answer = service.get(path, headers)
    assert (answer.status_code, answer.json["errors"]) == (200, {}), answer.text
    calls = calls_of(played, name)
    assert answer.headers["X-Vendor-Calls"] == f"{name}={calls}"
    return calls


@pytest.mark.one_in(3)
@each_vendor
def test_with_a_cached_inventory_the_estimate_is_what_the_list_then_costs(service, played, clock, name):
    headers = played.headers(name)
    paths = [*LISTS, f"/solar-inverters?vendorSiteID={played.get('/truth')['views'][name][0]['site']}"]
    for path in paths:
        service.get(path, headers)
    calls_of(played, name)
    for path in paths:
        # All is kept, then all is asked again, then all has expired.
        for headers_now, passed in ((headers, 0.0), (headers | REFRESH, 0.0), (headers, HOURS)):
            clock.now += passed
            foreseen = estimate(service, path, headers_now)
            assert calls_of(played, name) == 0, "the estimate has made a call"
            assert foreseen == {name: {"calls": made(service, played, name, path, headers_now)}}, path


@pytest.mark.one_in(3)
@each_vendor
def test_after_the_list_of_sites_the_cost_of_the_devices_is_known(service, played, name):
    headers = played.headers(name)
    service.get("/sites", headers)
    [foreseen] = estimate(service, "/solar-inverters", headers).values()
    calls = made(service, played, name, "/solar-inverters", headers)
    words = discover()[name].list_calls.devices
    assert foreseen == ({"calls": calls} if "each site" in words else {"atLeast": 1, "formula": words})


@pytest.mark.one_in(3)
@each_vendor
def test_cold_the_estimate_is_at_least_one_with_the_vendor_s_formula(service, played, name):
    headers = played.headers(name)
    words = discover()[name].list_calls
    calls_of(played, name)
    for path in LISTS:
        formula = words.sites if path == "/sites" else words.devices
        assert estimate(service, path, headers) == {name: {"atLeast": 1, "formula": formula}}
    assert calls_of(played, name) == 0


@pytest.mark.one_in(3)
@each_vendor
def test_single_reads_and_intervals_show_the_calls_that_the_vendor_counts(service, played, name):
    headers = played.headers(name)
    site, inverter = (
        service.get(path, headers).json[member][0]["id"]
        for path, member in (("/sites", "sites"), ("/solar-inverters", "solarInverters"))
    )
    window = "summaryLevel=day&start=2026-03-01&end=2026-03-08"
    calls_of(played, name)
    for path in (f"/sites/{site}", f"/solar-inverters/{inverter}", f"/sites/{site}/solar-intervals?{window}"):
        answer = service.get(path, headers | REFRESH)
        assert answer.status_code == 200, answer.text
        calls = calls_of(played, name)
        assert (answer.headers["X-Vendor-Calls"], calls > 0) == (f"{name}={calls}", True)


def test_after_a_sweep_that_was_cut_short_the_rest_is_foreseen(service, played):
    name, headers = "solaredge", played.headers("solaredge")
    played.put(f"/limits/{name}", {"calls": 4, "seconds": 3600})
    service.get("/solar-inverters", headers)
    played.put(f"/limits/{name}", None)
    cloud = service.app.extensions["services"].clouds[name]
    cloud.quota = fresh_quota(cloud)
    [foreseen] = estimate(service, "/solar-inverters", headers).values()
    assert foreseen == {"calls": made(service, played, name, "/solar-inverters", headers)}
    assert 0 < foreseen["calls"] < 9


def fresh_quota(cloud):
    """A quota without the hold that a refusal has led to."""
    return Quota(cloud.name, cloud.vendor.limits.parallel)


@pytest.mark.parametrize("name", sorted(name for name, plugin in discover().items() if plugin.stage != "declared"))
def test_every_vendor_declares_what_its_lists_cost(name):
    words = discover()[name].list_calls
    assert words.sites
    assert words.devices
