"""Recorded replies with one thing wrong: never more than a vendor's own error, never an invented record."""

import copy
import json
import random
from datetime import datetime
from functools import cache
from itertools import islice

import pytest

from tests.vendors.support import cloud_of, open_vendor
from tests.vendors.test_recorded import CASES, plain, recorded
from vendors.kit import Client
from vendors.kit.calls.sweep import Sweep
from vendors.kit.calls.thread_pool import ThreadPool
from vendors.kit.messages import RawReply

# What a vendor could send in place of anything.
ODD = (None, "", "text", 0, -1, 10**30, 1.5, True, [], {}, [[]], {"a": {"b": []}}, "\x00", "x" * 10_000)

# Of all clouds of these tests: to start threads takes longer than to read a reply.
THREADS = ThreadPool(16, "broken")
# Variants of a reply are dealt out to so many cases of the test.
PARTS = 4


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


class Answers:
    """The replies of a case in place of a transport. What no reply was recorded for is not there."""

    def __init__(self, vendor, case):
        self._bodies = {path: recorded_bytes(vendor, name) for path, name in case["replies"].items()}
        self._names = case["replies"]

    def change(self, name, reply):
        """The reply of this name is now another."""
        body = json.dumps(reply).encode()
        self._bodies |= {path: body for path, used in self._names.items() if used == name}

    def fetch(self, request, deadline):
        body = self._bodies.get(request.path)
        return RawReply(404 if body is None else 200, {}, body or b"", request.shown_url)


@cache
def recorded_bytes(vendor, name):
    return json.dumps(recorded(vendor, name)).encode()


def outcome(vendor, case, answers):
    """Codes of the failures, and the records."""
    cloud = cloud_of(vendor)
    cloud.transport, cloud.calls = answers, THREADS
    sweep = Sweep(open_vendor(vendor, cloud=cloud))
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


@pytest.mark.one_in(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(("vendor", "case"), CASES)
def test_a_reply_with_one_member_missing_or_odd_is_at_worst_the_vendor_s_own_error(vendor, case, part, monkeypatch):
    if "now" in case:
        monkeypatch.setattr(Client, "now", datetime.fromisoformat(case["now"]))
    for name in sorted(set(case["replies"].values())):
        for path, reply in islice(variants(recorded(vendor, name)), part, None, PARTS):
            answers = Answers(vendor, case)
            answers.change(name, reply)
            codes, records = outcome(vendor, case, answers)
            assert "plugin_fault" not in codes, path
            for record in records:
                assert plain(record), "what a list reads late must find no fault either"
                assert record.key, path
                assert all(isinstance(part, str) and part for part in record.key), path
                assert record.vendor_id, path
