"""Reads and counts for the contract that all vendors are held to (tests/test_vendors.py)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from unittest import mock

from vendors.kit import Battery, Bess, NotOffered, Site, SolarInverter
from vendors.kit.http.transport import Transport

# Members that identify a record; no plugin can do without them.
IDENTITY = {"key", "vendor_id", "site_key", "vendor_site_id"}
LABELS = {Site: "site", SolarInverter: "solar_inverter", Battery: "battery"}


@contextmanager
def counted_successes(transport: Transport) -> Iterator[Counter]:
    """The number of successful answers to each request of the block, by method, URL and body."""
    successes: Counter = Counter()
    fetch = transport.fetch

    def counted(request, deadline):
        raw = fetch(request, deadline)
        successes[(request.method, request.url, request.body)] += raw.status == 200
        return raw

    with mock.patch.object(transport, "fetch", counted):
        yield successes


def path_of_site(account, site):
    """The path of the call that lists this site's devices; None if no call belongs to a single site."""
    account.calls()
    account.sweep(refresh=True)
    return next((path for path in account.calls() if site in path.split("/")), None)


def reported_members(plugin, account):
    """The labels, such as `battery.soc_percent`, of all members, and of those that any single read reports."""
    all_members, reported = set(), set()
    for label, record in single_reads(plugin, account):
        for member, value in members(record):
            all_members.add(f"{label}.{member}")
            if value not in (None, ""):
                reported.add(f"{label}.{member}")
    return all_members, reported


def single_reads(plugin, account):
    """Label and record of every site and device of the account, each read alone where the vendor offers that."""
    for listed in account.sweep("sites").records + account.sweep().records:
        label = LABELS[type(listed)]
        try:
            yield label, getattr(plugin, label)(listed.key)
        except NotOffered:
            yield label, listed


def members(record):
    """Name and value of each member besides the identity; of all batteries of a site together, as `bess.member`."""
    for member in fields(record):
        value = getattr(record, member.name)
        if member.name == "bess":
            bess = value or Bess()
            yield from ((f"bess.{part.name}", getattr(bess, part.name)) for part in fields(bess))
        elif member.name not in IDENTITY:
            yield member.name, value


def advice_on_lacks(declared, all_members, reported):
    """How to mend the `lacks` of a plugin, in lines to paste; "" if it is right.

    What the plugin reports is held against its emulator: a member that the emulator does not play counts as lacking.
    """
    missing, wrong = all_members - reported - declared, declared & reported
    unknown = declared - all_members
    advice = (
        ("add to `lacks`, or play it in the emulator:", missing),
        ("remove from `lacks`, since it is reported:", wrong),
        ("remove from `lacks`, since no record has such a member:", unknown),
    )
    return "\n".join(
        f"{what}\n" + "\n".join(f'    "{label}",' for label in sorted(labels)) for what, labels in advice if labels
    )
