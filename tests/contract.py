"""Reads and counts for the contract that all vendors are held to (tests/test_vendors.py)."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from unittest import mock

from sandbox import registry as dialects
from tests.vendors.cases import cases_of
from tests.vendors.stages import reaches
from tests.vendors.support import HEADERS
from vendors.kit import Battery, Bess, NotOffered, Site, SolarInverter, Stage
from vendors.kit.http.transport import Transport
from vendors.kit.registry import discover

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
# The vendor name of each plugin. Its further names are the vendor's own sandboxes.
PLUGINS = sorted({next(iter(plugin.hosts)) for plugin in discover().values()})
# Members that identify a record; no plugin can do without them.
IDENTITY = {"key", "vendor_id", "site_key", "vendor_site_id"}
LABELS = {Site: "site", SolarInverter: "solar_inverter", Battery: "battery"}


def missing_pieces(vendor: str) -> list[str]:
    """The parts that a vendor lacks, each with the file in which it is expected."""
    needs_emulator = reaches(discover()[vendor], Stage.SERIES)
    pieces = {
        f"sandbox/{vendor}.py, the emulator, which stage series needs": not needs_emulator or emulator_exists(vendor),
        f"tests/vendors/{vendor}/cases.json, the recorded replies": cases_of(vendor),
        f"tests/vendors/{vendor}/headers.json, a made-up credential": vendor in HEADERS,
        f"README.md, a row of the vendors' table for `{vendor}`": re.search(rf"^\|[^|]*`{vendor}`", README, re.M),
        f'docs/vendors.md, a section "## {vendor}"': f"\n## {vendor}\n" in (ROOT / "docs/vendors.md").read_text(),
    }
    return [piece for piece, exists in pieces.items() if not exists]


def emulator_exists(vendor: str) -> bool:
    """Whether this vendor has an emulator, in a module or package of exactly its name."""
    paths = (ROOT / "sandbox" / f"{vendor}.py", ROOT / "sandbox" / vendor / "__init__.py")
    return vendor in dialects.discover() and any(path.exists() for path in paths)


@contextmanager
def counted_successes(transport: Transport) -> Iterator[Counter]:
    """Counts the successful replies to each request of the block, by method, URL and body."""
    successes: Counter = Counter()
    fetch = transport.fetch

    def counted(request, deadline):
        raw = fetch(request, deadline)
        if raw.status == 200:
            successes[(request.method, request.url, request.body)] += 1
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
    """Label and record of every site and device of the account, each by a single read where the vendor offers it."""
    for listed in account.sweep("sites").records + account.sweep().records:
        label = LABELS[type(listed)]
        try:
            yield label, getattr(plugin, label)(listed.key)
        except NotOffered:
            yield label, listed


def members(record):
    """Name and value of each member except the identity; those of the BESS of a site as `bess.member`."""
    for member in fields(record):
        value = getattr(record, member.name)
        if member.name == "bess":
            bess = value or Bess()
            yield from ((f"bess.{part.name}", getattr(bess, part.name)) for part in fields(bess))
        elif member.name not in IDENTITY:
            yield member.name, value


def advice_on_lacks(declared, all_members, reported):
    """Advice on the `lacks` of a plugin, in lines to paste; "" if they are right.

    The plugin is read from its emulator: a member that the emulator does not play counts as lacking.
    """
    missing, wrong = all_members - reported - declared, declared & reported
    unknown = declared - all_members
    advice = (
        ("add to `lacks`, or play it in the emulator:", missing),
        ("remove from `lacks`, since it is reported:", wrong),
        ("remove from `lacks`, since no record has such a member:", unknown),
    )
    return "\n".join(
        "\n".join([sentence, *(f'    "{label}",' for label in sorted(labels))]) for sentence, labels in advice if labels
    )
