"""One site or device of every vendor, while one of the calls behind it fails or hangs.

There is no list of optional calls: the tests watch which calls a plugin begins as optional.
"""

import json
import time
from pathlib import Path

import pytest

import sandbox
from sandbox import registry as dialects
from sandbox.server import running
from tests.optional_calls import watched_calls
from tests.services import Account, Played
from tests.vendors.stages import asked_vendors
from tests.vendors.support import cloud_of, open_vendor
from vendors.kit import Battery, Site, SolarInverter
from vendors.kit.calls import optional
from vendors.kit.calls.sweep import Sweep
from vendors.kit.errors import Held

NAMES = asked_vendors()
READS = {"site": Site, "solar_inverter": SolarInverter, "battery": Battery}
# By vendor and read, the greatest number of successive calls, declared by vendors that have independent calls.
ROUNDS = {
    (path.parent.name, operation): rounds
    for path in sorted((Path(__file__).parent / "vendors").glob("*/rounds.json"))
    for operation, rounds in json.loads(path.read_text()).items()
}

each_vendor = pytest.mark.parametrize("name", NAMES)
each_read = pytest.mark.parametrize("operation", READS)


@pytest.fixture(scope="module")
def fleet():
    with running(sandbox.create_app(1, 1)) as url:
        yield Played(url)


class SingleRead:
    """A site, or the first device of its kind there, read alone each time without cached replies."""

    def __init__(self, fleet, name, operation):
        self.account, self.operation = Account(fleet, name), operation
        listed = self.account.sweep("sites" if operation == "site" else "devices").records
        self.key = next(record.key for record in listed if isinstance(record, READS[operation]))

    def read(self, seconds=60.0, cloud=None):
        cloud = cloud or self._new_cloud()
        sweep = Sweep(open_vendor(self.account.name, headers=self.account.headers, cloud=cloud, seconds=seconds))
        sweep.run(lambda plugin: [getattr(plugin, self.operation)(self.key)])
        return sweep

    def seconds(self):
        """Seconds that a read takes at present."""
        started = time.monotonic()
        self.read()
        return time.monotonic() - started

    def optional_paths(self):
        """Paths below the vendor's base that the plugin calls for optional members alone."""
        cloud = self._new_cloud()
        with watched_calls(cloud.transport) as urls:
            assert self.read(cloud=cloud).failure is None
        return [url.removeprefix(self.account.base) for url, is_optional in urls.items() if is_optional]

    def _new_cloud(self):
        return cloud_of(self.account.name, self.account.base)


def members(record):
    return {name for name in record.__slots__ if getattr(record, name) is not None}


def refused_status(name):
    return dialects.discover()[name].refused_status


@each_vendor
@each_read
def test_a_failing_optional_call_leaves_its_members_out_and_is_reported(fleet, name, operation):
    single = SingleRead(fleet, name, operation)
    (whole,) = single.read().records
    for path in single.optional_paths():
        for status, code in ((500, "backend_error"), (429, "rate_limited"), (404, "not_found")):
            with single.account.fault(status=status, path=path):
                sweep = single.read()
            (record,) = sweep.records
            assert (record.key, sweep.failure.code) == (single.key, code), path
            # A 429 holds concurrent calls as well, whose failure may be the one that is reported.
            assert sweep.failure.url.endswith(path) or isinstance(sweep.failure, Held)
            # Without its batteries, SolarEdge's newest quarter of a night is the sun's last one.
            assert members(record) - {"power_kw"} <= members(whole)


@pytest.mark.one_in(8)
@each_vendor
@each_read
def test_a_hanging_optional_call_does_not_hold_up_the_record(fleet, name, operation, monkeypatch):
    single = SingleRead(fleet, name, operation)
    deadline = max(2.0, 8 * single.seconds())
    monkeypatch.setattr(optional, "GRACE_SECONDS", deadline / 2)
    for path in single.optional_paths()[:1]:
        started = time.monotonic()
        with single.account.fault(hang=True, path=path):
            sweep = single.read(seconds=deadline)
            took = time.monotonic() - started
        assert took < deadline, "before the request's deadline"
        (record,) = sweep.records
        assert (record.key, sweep.failure.code) == (single.key, "timeout")


@pytest.mark.parametrize("name", [name for name in NAMES if refused_status(name) is not None])
@each_read
def test_a_credential_that_an_optional_call_refuses_opens_no_record(fleet, name, operation):
    single = SingleRead(fleet, name, operation)
    for path in single.optional_paths()[:1]:
        with single.account.fault(status=refused_status(name), path=path):
            sweep = single.read()
        assert (sweep.records, sweep.failure.code) == ([], "unauthorized")


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("name", "operation"), ROUNDS)
def test_calls_that_are_independent_of_each_other_are_made_concurrently(fleet, name, operation):
    single, rounds = SingleRead(fleet, name, operation), ROUNDS[name, operation]
    delay = max(0.5, 6 * single.seconds())
    single.account.calls()
    with single.account.fault(delay=delay):
        took = single.seconds()
    assert sum(single.account.calls().values()) > rounds
    assert took < delay * (rounds + 1)
