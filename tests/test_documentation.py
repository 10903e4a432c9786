"""Tables of the documentation that follow from the code: what each vendor gives."""

from dataclasses import fields
from pathlib import Path

import pytest

import sandbox
from tests.contract import members
from vendors.kit import Battery, Level, Site, SolarInverter
from vendors.kit.registry import discover

DOCUMENT = Path(__file__).parent.parent / "docs/vendors.md"
SERIES = {
    "site_solar_intervals": "a site's solar intervals",
    "solar_intervals": "an inverter's intervals",
    "site_battery_intervals": "a site's battery intervals",
    "battery_intervals": "a battery's intervals",
}
RECORDS = {"site": Site, "solar_inverter": SolarInverter, "battery": Battery}
IDENTITY = dict.fromkeys(("key", "vendor_id", "site_key", "vendor_site_id"), "")
NAMES = [name for name in sorted(discover()) if name != "smasbox"]


def table(head, rows):
    """Lines of a table whose columns are the vendors."""
    yield f"| {head} | {' | '.join(NAMES)} |"
    yield "|---|" + "---|" * len(NAMES)
    for label, cells in rows:
        yield f"| {label} | {' | '.join(cells)} |"


def offered(name, series):
    """The levels, and with an asterisk: of devices that are the only ones of their kind at their site."""
    lacks = discover()[name].lacks
    levels = [level for level in Level if not {series, f"{series}.{level}"} & lacks]
    alone = "*" if f"{series}.of_several" in lacks else ""
    return ", ".join(levels) + alone if levels else "–"


def charged(name, series):
    lacks = discover()[name].lacks
    return "–" if f"{series}.soc_percent" in lacks else "yes, at 15mins and hour"


def of_intervals():
    for series, label in SERIES.items():
        yield label, [offered(name, series) for name in NAMES]
    for series in ("site_battery_intervals", "battery_intervals"):
        yield f"state of charge in {SERIES[series]}", [charged(name, series) for name in NAMES]


def of_members():
    for record, kind in RECORDS.items():
        blank = kind(**{one.name: IDENTITY.get(one.name) for one in fields(kind)})
        for member, _ in members(blank):
            if member not in ("name", "model", "serial_number"):
                label = f"{record}.{member}"
                yield f"`{label}`", ["–" if label in discover()[name].lacks else "yes" for name in NAMES]


@pytest.mark.parametrize(("head", "rows"), [("intervals", of_intervals), ("member", of_members)])
def test_the_documentation_says_what_each_vendor_gives(head, rows):
    expected = "\n".join(table(head, rows()))
    assert expected in DOCUMENT.read_text(), f"docs/vendors.md should hold:\n\n{expected}\n"


@pytest.mark.parametrize("vendor", ["sma", "smasbox", "solis"])
def test_the_sandbox_s_page_names_every_call_that_it_plays(vendor):
    page = (DOCUMENT.parent / "sandbox.md").read_text()
    rules = sandbox.create_app(1).url_map.iter_rules()
    calls = [rule.rule for rule in rules if rule.rule.startswith(f"/{vendor}/")]
    names = {next(part for part in reversed(call.split("/")) if "<" not in part) for call in calls}
    # `stationDay`, `Month`, ... stand there as one row, and SMA's own sandbox among the calls of its cloud.
    missing = {name for name in names if name.removeprefix("inverter").removeprefix("station") not in page}
    assert calls
    assert not missing - {"monitoring"}, f"docs/sandbox.md should name {sorted(missing)}"
