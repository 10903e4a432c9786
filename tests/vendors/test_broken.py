"""Recorded replies with one thing wrong: never more than a vendor's own error, never an invented record."""

import copy
import random

import pytest

from tests.vendors.support import BASE, open_vendor
from tests.vendors.test_recorded import CASES, plain, recorded
from vendors.kit import Sweep

# What a vendor could send in place of anything.
ODD = (None, "", "text", 0, -1, 10**30, 1.5, True, [], {}, [[]], {"a": {"b": []}}, "\x00", "x" * 10_000)


def places(value, path=()):
    """Paths to every member below a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*path, name)
        yield from places(member, (*path, name))


def changed(value, path, change):
    """A copy with the member at `path` changed: `change(parent, name)`."""
    copied = copy.deepcopy(value)
    parent = copied
    for name in path[:-1]:
        parent = parent[name]
    change(parent, path[-1])
    return copied


def outcome(vendor, case, name, reply, network):
    """Codes of the failures, and the records, when the reply `name` of the case is this one."""
    network.reset()
    for path, file in case["replies"].items():
        for method in ("GET", "POST"):
            network.add(method, BASE + path, json=reply if file == name else recorded(vendor, file))
    sweep = Sweep(open_vendor(vendor))
    sweep.run(lambda plugin: read(plugin, case))
    return [failure.code for failure in sweep.progress.failures], sweep.records


def read(plugin, case):
    if "key" in case:
        return [getattr(plugin, case["read"])(tuple(case["key"]))]
    return getattr(plugin, case["read"])(*[case["site"]] if "site" in case else [])


def variants(original):
    """Each member left out, and a sample of members replaced by something odd."""
    chosen = random.Random(1)
    everywhere = list(places(original))
    # Some replies have hundreds of members that nobody reads.
    for path in chosen.sample(everywhere, min(150, len(everywhere))):
        yield path, changed(original, path, lambda parent, name: parent.pop(name))
    for path in chosen.sample(everywhere, min(50, len(everywhere))):
        odd = chosen.choice(ODD)
        yield path, changed(original, path, lambda parent, name, odd=odd: parent.__setitem__(name, odd))


@pytest.mark.parametrize(("vendor", "case"), CASES)
def test_a_reply_with_one_member_missing_or_odd_is_at_worst_the_vendor_s_own_error(vendor, case, network):
    network.assert_all_requests_are_fired = False
    for name in set(case["replies"].values()):
        for path, reply in variants(recorded(vendor, name)):
            codes, records = outcome(vendor, case, name, reply, network)
            assert "plugin_fault" not in codes, path
            for record in records:
                assert plain(record), "what a list reads late must find no fault either"
                assert record.key, path
                assert all(isinstance(part, str) and part for part in record.key), path
                assert record.vendor_id, path
