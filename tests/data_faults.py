"""Vendors whose data are wrong in a way that their dialect declares, and the day over which they are read."""

from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from math import fsum
from unittest import mock

import orjson
import pytest

from sandbox import registry as dialects
from tests.truth import local, vendor_of
from vendors.kit import BadReply, Level

# Numbers of the fleet's sites: one with a battery in use, one without, and a large one with several inverters.
BERLIN, PHOENIX, DELHI = range(3)
# A day in the past on which nothing is odd, and moments after it: while the battery is charged, and later.
DAY = (2026, 6, 17)
MORNING = datetime(2026, 6, 18, 8, 7, tzinfo=UTC)
AFTERNOON = datetime(2026, 6, 18, 13, 2, tzinfo=UTC)
NOW = datetime(2026, 6, 19, 3, 7, tzinfo=UTC)
KINDS = ("solar", "battery")
# By vendor, the names of the faults that its dialect can show.
DECLARED = {name: tuple(dialect.data_faults) for name, dialect in dialects.discover().items()}


def each_vendor_with(fault):
    """Runs a test for every vendor whose dialect declares the fault."""
    names = [name for name, faults in DECLARED.items() if fault in faults]
    assert names, f"no dialect declares {fault}"
    return pytest.mark.parametrize("name", names)


class Vendors(ExitStack):
    """Vendors by name, opened on first use, before a fleet of `sites` sites."""

    def __init__(self, sites=3):
        super().__init__()
        self._sites, self._opened = sites, {}

    def __call__(self, name):
        if name not in self._opened:
            self._opened[name] = self.enter_context(vendor_of(name, self._sites))
        return self._opened[name]

    @contextmanager
    def faulty(self, name, fault, now=NOW):
        """The vendor at a moment, with a fault of its data."""
        with self(name).at(now) as vendor, vendor.account.fault(data=fault):
            yield vendor

    @contextmanager
    def with_options(self, name, **options):
        """The vendor, with some of its oddities switched on."""
        played = self(name).account.played
        played.put(f"/options/{name}", options)
        try:
            with self(name).at(NOW) as vendor:
                yield vendor
        finally:
            played.put(f"/options/{name}", {})


def hours_of_day(vendor, case, first=0, last=24):
    """From one hour of DAY to another, on the clock of the case's site."""
    midnight = local(vendor.zone(case).key, *DAY)
    return midnight + timedelta(hours=first), midnight + timedelta(hours=last)


def total_kwh(intervals):
    """The energy of the intervals together; of a battery, what it was charged with."""
    return fsum(interval.kwh[0] for interval in intervals)


def true_kwh(vendor, case):
    """The true energy of DAY; of a battery, what it was charged with."""
    return case.kwh(*hours_of_day(vendor, case))[0]


@contextmanager
def watched_change(dialect, fault):
    """The paths whose answers the fault really changes during the block."""
    change, changed_paths = dialect.data_faults[fault], set()

    def watched(path, data):
        before = orjson.dumps(data)
        change(path, data)
        if orjson.dumps(data) != before:
            changed_paths.add(path)

    with mock.patch.object(type(dialect), "data_faults", {fault: watched}):
        yield changed_paths


def read_records(vendor, number):
    """Reads a site and its first inverter and battery alone, as far as they can be read at all."""
    operations = {"solar": "solar_inverter", "battery": "battery"}
    for kind in KINDS:
        for case in vendor.cases(number, kind)[:2]:
            # A refusal, or a device that is no longer listed, reports nothing wrong.
            with suppress(BadReply, LookupError):
                getattr(vendor.plugin, operations[kind] if case.device else "site")(vendor.key(case))


def readable_series(vendor, case):
    """The quarters of DAY and the days of its month until then, as far as they can be read at all."""
    start, end = hours_of_day(vendor, case)
    for level, first in ((Level.QUARTER, start), (Level.DAY, start.replace(day=1))):
        try:
            intervals = vendor.read(case, level, first, end)
        except (BadReply, LookupError):
            continue
        yield intervals or []
