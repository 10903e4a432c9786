"""The contract: what every vendor plugin does against its own emulator, over loopback sockets.

Nothing here knows a vendor by name. What differs between vendors is tested in tests/vendors/<vendor>/.
"""

import time

import pytest

import sandbox
from sandbox.server import running
from tests.contract import (
    PLUGINS,
    advice_on_lacks,
    counted_successes,
    missing_pieces,
    path_of_site,
    reported_members,
)
from tests.services import PLAYED_VENDORS, Account, Played, account_of
from tests.vendors.support import open_vendor
from vendors.kit import Battery, SolarInverter
from vendors.kit.calls.quota import Quota

KINDS = {"solar_inverter": SolarInverter, "battery": Battery}

each_vendor = pytest.mark.parametrize("name", PLAYED_VENDORS)


@pytest.fixture(scope="module")
def fleet():
    with running(sandbox.create_app(8, 1)) as url:
        yield Played(url)


@pytest.mark.parametrize("vendor", PLUGINS)
def test_a_vendor_consists_of_its_module_emulator_replies_and_documentation(vendor):
    missing = missing_pieces(vendor)
    if missing:
        pytest.fail(f"the vendor {vendor} lacks: {'; '.join(missing)}", pytrace=False)


@each_vendor
def test_the_sites_of_a_vendor_are_those_of_the_fleet(name, fleet):
    account = Account(fleet, name)
    sweep = account.sweep("sites")
    assert (sweep.failure, sweep.incomplete) == (None, "")
    assert {site.vendor_id for site in sweep.records} == {view["site"] for view in account.views}
    timezones = {site["number"]: site["timezone"] for site in fleet.get("/truth")["sites"]}
    by_id = {view["site"]: timezones[view["number"]] for view in account.views}
    for site in sweep.records:
        assert site.timezone in (None, by_id[site.vendor_id])


@each_vendor
def test_the_devices_of_a_vendor_are_those_of_the_fleet(name, fleet):
    account = Account(fleet, name)
    sweep = account.sweep()
    assert (sweep.failure, sweep.incomplete) == (None, "")
    by_ids = {(type(record), record.vendor_site_id, record.vendor_id): record for record in sweep.records}
    assert len(by_ids) == len(sweep.records) == len(account.devices)
    site_keys = {site.vendor_id: site.key for site in account.sweep("sites").records}
    for site, device in account.devices:
        candidates = [by_ids.get((KINDS[device["kind"]], site, native)) for native in device["ids"].values()]
        record = next(record for record in candidates if record)
        assert set(record.key) <= set(device["ids"].values())
        assert record.serial_number == (device["serial"] or "")
        assert record.site_key == site_keys[site]


@pytest.mark.one_in(3)
@each_vendor
def test_every_listed_inverter_can_be_read_alone_with_the_same_identity(name, fleet):
    account = Account(fleet, name)
    plugin = open_vendor(name, headers=account.headers, cloud=account.cloud, seconds=20)
    truth = {native: device for _, device in account.devices for native in device["ids"].values()}
    for record in account.sweep().records:
        if isinstance(record, SolarInverter):
            alone = plugin.solar_inverter(record.key)
            for member in ("key", "site_key", "vendor_id", "vendor_site_id", "serial_number"):
                assert getattr(alone, member) == getattr(record, member)
            assert alone.model == (truth[record.vendor_id]["model"] or "")


@each_vendor
def test_members_that_a_vendor_lacks_are_declared_and_no_declared_one_is_reported(name, fleet):
    account = Account(fleet, name)
    plugin = open_vendor(name, headers=account.headers, cloud=account.cloud, seconds=60)
    declared = {label for label in plugin.lacks if "intervals" not in label}
    advice = advice_on_lacks(declared, *reported_members(plugin, account))
    assert not advice, f"{type(plugin).__name__} in {type(plugin).__module__}:\n{advice}"


@pytest.mark.parametrize(
    ("declared", "advice"),
    [
        ({"site.name"}, ""),
        (set(), 'add to `lacks`, or play it in the emulator:\n    "site.name",'),
        (
            {"site.name", "site.power_kw", "site.colour"},
            'remove from `lacks`, since it is reported:\n    "site.power_kw",\n'
            'remove from `lacks`, since no record has such a member:\n    "site.colour",',
        ),
    ],
    ids=["right", "not declared", "declared wrongly"],
)
def test_the_advice_on_lacks_can_be_pasted(declared, advice):
    assert advice_on_lacks(declared, {"site.name", "site.power_kw"}, {"site.power_kw"}) == advice


@pytest.mark.one_in(9)
@each_vendor
@pytest.mark.parametrize("sites", [0, 1, 2, 100, 101])
def test_a_list_of_any_length_is_complete_and_costs_no_call_when_repeated(name, sites):
    with account_of(name, sites) as account, counted_successes(account.cloud.transport) as successes:
        sweep = account.sweep()
        assert (sweep.failure, sweep.incomplete, len(sweep.records)) == (None, "", len(account.devices))
        assert set(successes.values()) == {1}, "a call was made twice"
        account.calls()
        assert len(account.sweep().records) == len(account.devices)
        assert account.calls() == {}


@each_vendor
def test_one_site_that_fails_does_not_hide_the_others(name, fleet):
    account = Account(fleet, name)
    lost = account.views[3]["site"]
    path = path_of_site(account, lost)
    if path is None:
        pytest.skip("no call belongs to a single site")
    with account.fault(status=500, path=path):
        sweep = account.sweep(refresh=True)
    assert {record.vendor_site_id for record in sweep.records} == {site for site, _ in account.devices} - {lost}
    assert f"{sweep.failure}{sweep.incomplete}".startswith(f"Bad Gateway: {account.base}{path} (incomplete: 7 of 8")


@each_vendor
def test_a_vendor_without_a_call_for_each_site_makes_no_more_calls_for_more_sites(name, fleet):
    account = Account(fleet, name)
    if path_of_site(account, account.views[3]["site"]):
        pytest.skip("each site has a separate call; the test of one failing site covers it")
    account.sweep(refresh=True)
    calls = account.calls()
    with account_of(name, 1) as smaller:
        smaller.sweep()
        assert calls == smaller.calls()


@each_vendor
def test_a_fleet_larger_than_the_quota_completes_without_repeating_a_successful_call(name):
    now = [time.time()]
    with account_of(name, 24) as account, counted_successes(account.cloud.transport) as successes:
        account.cloud.quota = Quota(name, account.cloud.vendor.limits.parallel, clock=lambda: now[0])
        lengths = [0]
        for _ in range(20):
            # A new limit begins a new period, two hours later, when the wait that the vendor demanded is over.
            now[0] += 7200
            account.played.put(f"/limits/{name}", None)
            account.played.put(f"/limits/{name}", {"calls": 7, "seconds": 3600})
            sweep = account.sweep()
            lengths.append(len(sweep.records))
            if sweep.failure is None:
                break
            assert sweep.failure.code == "rate_limited"
        assert lengths == sorted(lengths)
        assert lengths[-1] == len(account.devices)
        assert set(successes.values()) <= {0, 1}


@pytest.mark.one_in(5)
@each_vendor
@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ({"status": 401}, ("unauthorized",)),
        ({"status": 403}, ("forbidden", "unauthorized")),
        ({"status": 404}, ("not_found",)),
        ({"status": 410}, ("api_retired",)),
        ({"status": 500}, ("backend_error",)),
        ({"status": 502, "body": "<html>Bad gateway</html>"}, ("backend_error",)),
        ({"body": ""}, ("bad_reply",)),
        ({"body": '{"plants": [{"plantId": "1"'}, ("bad_reply",)),
        ({"body": "[" * 5000 + "]" * 5000}, ("bad_reply",)),
        ({"body": '"text"'}, ("bad_reply",)),
        ({"redirect": "http://127.0.0.1:9/"}, ("backend_error",)),
        ({"reset": True}, ("backend_error",)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_error_of_the_vendor_has_the_right_code(name, fleet, fault, codes):
    account = Account(fleet, name)
    with account.fault(**fault):
        sweep = account.sweep()
    assert sweep.failure.code in codes
    assert sweep.records == []
    assert sweep.failure.url.startswith(account.base)


@each_vendor
@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "17"}, 16, 17),
        ({"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, 86_400, 86_400),
        ({}, 1, 86_400),
    ],
    ids=["seconds", "date", "none"],
)
def test_a_429_has_the_vendor_s_hint_or_else_a_bounded_guess(name, fleet, headers, least, most):
    account = Account(fleet, name)
    with account.fault(status=429, headers=headers):
        failure = account.sweep().failure
    assert failure.code == "rate_limited"
    assert least <= failure.retry_after <= most


@each_vendor
def test_a_429_of_the_vendor_s_quota_has_a_hint(name, fleet):
    account = Account(fleet, name)
    fleet.put(f"/limits/{name}", {"calls": 0, "seconds": 60})
    failure = account.sweep().failure
    fleet.put(f"/limits/{name}", None)
    assert failure.code == "rate_limited"
    assert 0 < failure.retry_after <= 3600


@pytest.mark.one_in(3)
@each_vendor
@pytest.mark.parametrize("fault", [{}, {"status": 500}, {"status": 401}, {"body": "<html>"}, {"reset": True}], ids=str)
def test_no_credential_appears_in_logs_errors_reprs_or_urls(name, fleet, fault, caplog):
    account = Account(fleet, name)
    caplog.set_level("DEBUG")
    with account.fault(**fault):
        sweep = account.sweep(refresh=True)
    plugin = sweep.vendor
    failures = sweep.progress.failures
    shown = [caplog.text, repr(plugin), repr(plugin.credential), repr(sweep.records), *map(repr, failures)]
    shown += [text for failure in failures for text in (str(failure), failure.detail, failure.url)]
    assert caplog.text
    for secret in plugin.credential.secrets:
        assert not [text for text in shown if secret in text]
