"""The contract of vendors, as far as it applies to the plugin of virtual devices: it has no cloud that could fail."""

from datetime import UTC, datetime, timedelta

import pytest

from app.virtual.plugin import VENDOR, VirtualVendor, credential_of
from tests.app.virtual.support import DEVICES
from tests.contract import advice_on_lacks, reported_members
from tests.vendors.support import records_of
from vendors.kit import Battery, Level, SolarInverter, Stage, Timeout
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.registry import discover

DAY = datetime(2025, 6, 1, tzinfo=UTC)


class Account:
    """A client's virtual devices, with the interface that the contract needs."""

    def __init__(self, app, client_id):
        self.cloud = app.extensions["services"].inventory._clouds[VENDOR]
        self.client_id = client_id

    def open(self, seconds=60):
        return self.cloud.open(credential_of(self.client_id), Deadline(seconds))

    def sweep(self, read="devices"):
        sweep = Sweep(self.open())
        sweep.run(lambda plugin: records_of(getattr(plugin, read)()))
        return sweep


@pytest.fixture
def account(app, virtual):
    for _ in range(2):
        site = virtual.create("sites")["id"]
        for path in DEVICES:
            virtual.create(path, siteID=site)
    return Account(app, virtual.id)


def test_it_is_of_the_last_stage_and_is_not_discovered():
    assert VirtualVendor.stage is Stage.SERIES
    assert VirtualVendor.hosts == {}
    assert VENDOR not in discover()


def test_the_sites_and_devices_of_a_client_are_listed_without_failure(account):
    sites, devices = account.sweep("sites"), account.sweep()
    assert (sites.failure, sites.incomplete, devices.failure, devices.incomplete) == (None, "", None, "")
    assert len(sites.records) == 2
    assert len(devices.records) == 4
    assert {device.vendor_site_id for device in devices.records} == {site.vendor_id for site in sites.records}
    assert not devices.progress.reply_refs, "lists that are made of no replies are not cached"


def test_every_listed_device_can_be_read_alone_with_the_same_identity(account):
    plugin = account.open()
    for listed in account.sweep().records:
        read = {SolarInverter: plugin.solar_inverter, Battery: plugin.battery}[type(listed)]
        for member in ("key", "site_key", "vendor_id", "vendor_site_id"):
            assert getattr(read(listed.key), member) == getattr(listed, member)


def test_members_that_it_lacks_are_declared_and_no_declared_one_is_reported(account):
    plugin = account.open()
    advice = advice_on_lacks(set(plugin.lacks), *reported_members(plugin, account))
    assert not advice, advice


def test_the_client_appears_in_no_repr_and_no_failure(account):
    sweep = account.sweep()
    for shown in (repr(sweep.vendor), repr(sweep.vendor.credential), repr(sweep.records)):
        assert account.client_id not in shown


def test_work_on_a_site_with_many_devices_ends_with_the_request(account):
    (site, _), plugin = account.sweep("sites").records, account.open(seconds=0)
    for series in (
        plugin.site_solar_intervals(site.key, Level.HOUR),
        plugin.site_battery_intervals(site.key, Level.HOUR),
    ):
        tile = next(iter(series.tiles(DAY, DAY + timedelta(days=1))))
        with pytest.raises(Timeout):
            tile.read()
