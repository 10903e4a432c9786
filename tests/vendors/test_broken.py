"""Recorded replies with one thing wrong: never more than a vendor's own error, never an invented record."""

import copy
import json
import random
from itertools import islice

import pytest

from tests.vendors.cases import RecordedTransport, content, plain
from tests.vendors.skeletons import skip_unwritten
from tests.vendors.support import cloud_of, open_vendor
from tests.vendors.test_recorded import CASES
from vendors.kit.calls.thread_pool import ThreadPool
from vendors.kit.series.resample import Interval

# What a vendor could send in place of anything.
ODD = (None, "", "text", 0, -1, 10**30, 1.5, True, [], {}, [[]], {"a": {"b": []}}, "\x00", "x" * 10_000)

# Of all clouds of these tests: to start threads takes longer than to read a reply.
THREADS = ThreadPool(16, "broken")
# Variants of a reply are dealt out to so many cases of the test.
PARTS = 8


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


def outcome(case, transport):
    """Codes of the failures, and the records or intervals."""
    cloud = cloud_of(case.vendor)
    cloud.transport, cloud.calls = transport, THREADS
    plugin = open_vendor(case.vendor, cloud=cloud)
    results = case.results(plugin)
    return [failure.code for failure in plugin.client.progress.failures], results


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


@pytest.mark.one_in(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("case", CASES)
def test_a_reply_with_one_member_missing_or_odd_is_at_worst_the_vendor_s_own_error(case, part, monkeypatch):
    skip_unwritten(case.vendor, *case.files)
    case.set_clock(monkeypatch)
    for file in sorted({reply.file for reply in case.replies.values() if reply.file.endswith(".json")}):
        original = json.loads(content(case.vendor, file))
        for path, reply in islice(variants(original), part, None, PARTS):
            transport = RecordedTransport(case)
            transport.change(file, json.dumps(reply).encode())
            codes, results = outcome(case, transport)
            assert "plugin_fault" not in codes, path
            for result in results:
                assert plain(result), "what a list reads late must find no fault either"
                if not isinstance(result, Interval):
                    assert_identified(result, path)


def assert_identified(record, path):
    assert record.key, path
    assert all(isinstance(part, str) and part for part in record.key), path
    assert record.vendor_id, path
