"""Parts of the documentation that follow from the code. `make docs` writes them, test_documentation.py compares them.

Each stands between `<!-- made by make docs: NAME -->` and `<!-- end -->`. Vendors are rows, so that a new vendor adds
lines and changes none.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields

from app.config import ROOT
from tests import kit_page, licences, reference_pages
from tests.contract import members
from tests.reference_pages import table
from tests.vendors.stages import offers
from vendors.kit import (
    BackChannel,
    Battery,
    CodeGrant,
    Level,
    OwnersPassword,
    Site,
    SolarInverter,
    Stage,
    TypedKeys,
    Variant,
    Vendor,
)
from vendors.kit.registry import discover

PART = re.compile(r"(<!-- made by make docs: (?P<name>[a-z ]+) -->\n).*?(<!-- end -->)", re.S)
SERIES = {
    "site_solar_intervals": "a site's solar intervals",
    "solar_intervals": "an inverter's intervals",
    "site_battery_intervals": "a site's battery intervals",
    "battery_intervals": "a battery's intervals",
}
RECORDS = {"site": Site, "solar_inverter": SolarInverter, "battery": Battery}
IDENTITY = dict.fromkeys(("key", "vendor_id", "site_key", "vendor_site_id"), "")
NOTHING = "–"


def plugins() -> Iterator[tuple[str, type[Vendor]]]:
    """The names of each plugin, and its class."""
    for names, plugin in ((list(plugin.hosts), plugin) for plugin in dict.fromkeys(discover().values())):
        yield ", ".join(f"`{name}`" for name in names), plugin


def vendors_table() -> str:
    """Credential and stage of every vendor."""
    rows = ((names, scheme(plugin), companions(plugin), str(plugin.stage)) for names, plugin in plugins())
    return table(("vendor", "`X-Authorization-<vendor>`", "further header", "stage"), rows)


def scheme(plugin: type[Vendor]) -> str:
    """The value that the header must have, in the words with which an empty one is refused."""
    try:
        plugin.credential_headers.scheme("")
    except ValueError as refusal:
        return re.sub(r"((?:Bearer|Basic) \S+)", r"`\1`", str(refusal).removeprefix("must be").lstrip(": "))
    raise ValueError(f"{plugin.__name__} takes an empty credential")


def companions(plugin: type[Vendor]) -> str:
    """The other headers of a credential."""
    headers = plugin.credential_headers.companions.values()
    return "; ".join(", else ".join(f"`{header}`" for header in names) for names in headers) or "no"


def variants_table() -> str:
    """The forms in which credentials can be stored, and what happens with each."""
    rows = []
    for names, plugin in plugins():
        for variant in plugin.variants:
            members = ", ".join(f"`{member}`" for member in variant.members)
            rows.append((names, f"`{variant.type}`", members, use_of(variant, plugin)))
    return table(("vendor", "`type`", "secret members", "use"), rows)


def use_of(variant: Variant, plugin: type[Vendor]) -> str:
    """The use that the service makes of a stored credential."""
    if plugin.stage is Stage.DECLARED:
        return "none yet"
    match variant.consent:
        case CodeGrant():
            return "each owner gives consent in a browser"
        case OwnersPassword():
            return "needs the owner's authorization"
        case BackChannel():
            return "the service gets access tokens with them; each owner gives consent by e-mail"
        case TypedKeys():
            return "used as they are; an owner can type them in"
    return "the service gets access tokens with them" if variant.tokens else "used as they are"


def series_table() -> str:
    """The levels of every series, and with an asterisk: only of devices that are alone of their kind at their site."""
    rows = ((names, *(levels(plugin, series) for series in SERIES), charges(plugin)) for names, plugin in plugins())
    return table(("vendor", *SERIES.values(), "state of charge at 15mins and hour"), rows)


def levels(plugin: type[Vendor], series: str) -> str:
    """The levels of a series that the vendor has."""
    offered = [level for level in Level if not {series, f"{series}.{level}"} & plugin.lacks]
    alone = "*" if f"{series}.of_several" in plugin.lacks else ""
    return ", ".join(offered) + alone if offered and offers(plugin, series) else NOTHING


def charges(plugin: type[Vendor]) -> str:
    """The battery series whose intervals have a state of charge."""
    series = {"site_battery_intervals": "site", "battery_intervals": "battery"}
    with_charge = [label for name, label in series.items() if levels(plugin, name) != NOTHING]
    lacking = {label for name, label in series.items() if f"{name}.soc_percent" in plugin.lacks}
    return ", ".join(label for label in with_charge if label not in lacking) or NOTHING


def members_table() -> str:
    """Members that single sites and devices lack, by vendor, of all members that there are."""
    rows = ((names, *(lacking(plugin, record) for record in RECORDS)) for names, plugin in plugins())
    everything = ("all", *(", ".join(f"`{member}`" for member in members_of(record)) for record in RECORDS))
    return table(("vendor", "a site lacks", "an inverter lacks", "a battery lacks"), [everything, *rows])


def lacking(plugin: type[Vendor], record: str) -> str:
    """The members of a record that the vendor never reports."""
    if not offers(plugin, record):
        return "single reads"
    absent = [member for member in members_of(record) if f"{record}.{member}" in plugin.lacks]
    return ", ".join(f"`{member}`" for member in absent) or NOTHING


def members_of(record: str) -> list[str]:
    """The members of a record besides its identity."""
    kind = RECORDS[record]
    blank = kind(**{member.name: IDENTITY.get(member.name) for member in fields(kind)})
    return [member for member, _ in members(blank)]


def control_table() -> str:
    """What every vendor's cloud can do for batteries, or why this server does not control them."""
    rows = []
    for names, plugin in plugins():
        control = plugin.control
        budget, effect = NOTHING, NOTHING
        if control:
            budget, effect = str(control.writes_per_day), f"{control.takes_effect.total_seconds() / 60:g} minutes"
        rows.append((names, budget, effect, "" if control else plugin.no_control))
    return table(("vendor", "writes a site and day", "takes effect within", "without control, since"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "vendors": vendors_table,
    "control": control_table,
    "variants": variants_table,
    "series": series_table,
    "members": members_table,
    "names of the kit": kit_page.names,
    "readers": kit_page.readers,
    "records": kit_page.records,
    "freshness": kit_page.freshness,
    "errors of vendors": reference_pages.errors_of_vendors,
    "errors of the service": reference_pages.errors_of_the_service,
    "settings": reference_pages.settings,
    "commands": reference_pages.commands,
    "metrics": reference_pages.metrics,
    "retention": reference_pages.retention,
    "licences": licences.licences,
    "accepted licences": licences.accepted,
}
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def renewed(text: str) -> str:
    """The document with its parts as they follow from the code now."""
    return PART.sub(lambda part: part[1] + PARTS[part["name"]]() + part[3], text)


def stale(text: str) -> list[str]:
    """The names of the document's parts that do not follow from the code."""
    pairs = zip(PART.finditer(text), PART.finditer(renewed(text)), strict=True)
    return [before["name"] for before, after in pairs if before[0] != after[0]]


def main() -> None:
    """Writes the parts into all documents."""
    for path in DOCUMENTS:
        text = path.read_text()
        path.write_text(renewed(text))
        for part in stale(text):
            print(f"{path.relative_to(ROOT)}: {part}")


if __name__ == "__main__":
    main()
