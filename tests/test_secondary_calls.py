"""One site or device of every vendor, while one of the calls behind it fails or hangs."""

import re
import time

import pytest

import sandbox
from sandbox.server import running
from tests.services import Account, Played
from tests.vendors.support import cloud_of, open_vendor
from vendors.kit.calls import optional
from vendors.kit.calls.sweep import Sweep
from vendors.kit.registry import discover

NAMES = sorted(discover())
READS = {"site": "sites", "solar_inverter": "devices", "battery": "devices"}
# What a record cannot do without: its identity, and the clock of what is told of it.
PRIMARY = re.compile(
    r"/v1/plants(/\d+/devices/lean)?|/v1/devices/\d+|/v1/api/(inverterDetail|inverterList)|/v2/sites/\d+(/devices)?|"
    r"/api/v4/systems/\d+(/devices)?|/api/v1/programs|/api/v1/systems/(search/.*|\d+/devices)|/api/1/.*/site_info"
)


@pytest.fixture(scope="module")
def fleet():
    with running(sandbox.create_app(1, 1)) as url:
        yield Played(url)


class One:
    """A site, or the first device of its kind there, and how it is read without anything that was kept."""

    def __init__(self, fleet, name, operation):
        self.account, self.operation = Account(fleet, name), operation
        kind = operation.title().replace("_", "")
        listed = self.account.sweep(READS[operation]).records
        of_kind = (one for one in listed if type(one).__name__ == kind)
        self.key = next(one.key for one in of_kind if getattr(one, "model", "") != "ACB")
        self.account.calls()

    def read(self, seconds=60.0):
        cloud = cloud_of(self.account.name, self.account.base)
        sweep = Sweep(open_vendor(self.account.name, headers=self.account.headers, cloud=cloud, seconds=seconds))
        sweep.run(lambda plugin: [getattr(plugin, self.operation)(self.key)])
        return sweep

    def seconds(self):
        """How long it takes to read it now."""
        started = time.monotonic()
        self.read()
        return time.monotonic() - started

    @property
    def spare(self):
        """Paths of the calls that it can do without; Solis' station is all that a site of it has."""
        is_site_of_solis = (self.account.name, self.operation) == ("solis", "site")
        return [] if is_site_of_solis else [path for path in self.account.calls() if not PRIMARY.fullmatch(path)]


def members(record):
    return {name for name in record.__slots__ if getattr(record, name) is not None}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("operation", READS)
def test_a_failing_call_for_what_a_record_can_do_without_leaves_its_members_out_and_is_told(fleet, name, operation):
    one = One(fleet, name, operation)
    (whole,) = one.read().records
    for path in one.spare:
        for status, code in ((500, "backend_error"), (429, "rate_limited"), (404, "not_found")):
            with one.account.fault(status=status, path=path):
                sweep = one.read()
            (found,) = sweep.records
            assert (found.key, sweep.failure.code) == (one.key, code), path
            assert sweep.failure.url.endswith(path)
            # Without its batteries, SolarEdge's newest quarter of a night is the sun's last one.
            assert members(found) - {"power_kw"} <= members(whole)


@pytest.mark.one_in(8)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("operation", READS)
def test_a_hanging_call_for_what_a_record_can_do_without_does_not_keep_it(fleet, name, operation, monkeypatch):
    one = One(fleet, name, operation)
    deadline = max(2.0, 8 * one.seconds())
    monkeypatch.setattr(optional, "GRACE_SECONDS", deadline / 2)
    for path in one.spare[:1]:
        started = time.monotonic()
        with one.account.fault(hang=True, path=path):
            sweep = one.read(seconds=deadline)
            took = time.monotonic() - started
        assert took < deadline, "before the request's deadline"
        (found,) = sweep.records
        assert (found.key, sweep.failure.code) == (one.key, "timeout")


# Enphase refuses what a plan does not cover as it refuses a credential.
@pytest.mark.parametrize("name", [name for name in NAMES if name != "enphase"])
@pytest.mark.parametrize("operation", READS)
def test_a_refused_credential_is_no_lack_of_members(fleet, name, operation):
    one = One(fleet, name, operation)
    one.read()
    for path in one.spare[:1]:
        with one.account.fault(status=403 if name == "solis" else 401, path=path):
            sweep = one.read()
        assert (sweep.records, sweep.failure.code) == ([], "unauthorized")


# After how many calls one after another.
@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("name", "operation", "rounds"),
    [
        ("sma", "solar_inverter", 2),
        ("sma", "battery", 2),
        ("solaredge", "solar_inverter", 3),
        ("solaredge", "battery", 3),
        ("tesla", "solar_inverter", 2),
        ("enphasevpp", "battery", 3),
    ],
)
def test_calls_that_do_not_need_each_other_are_made_at_the_same_time(fleet, name, operation, rounds):
    one = One(fleet, name, operation)
    delay = max(0.5, 6 * one.seconds())
    one.account.calls()
    with one.account.fault(delay=delay):
        took = one.seconds()
    assert sum(one.account.calls().values()) > rounds
    assert took < delay * (rounds + 1)
