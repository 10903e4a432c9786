"""The check of a folder of recorded cases, `tests/vendors/<vendor>/`, which needs no plugin."""

import json
from dataclasses import MISSING, fields

import vendors.kit.errors
from tests.vendors import cases
from tests.vendors.cases import DETAILS, LISTS, SERIES, Case
from vendors.kit import Battery, Bess, Level, Message, Messages, Production, Site, SolarInverter, VendorError

RECORDS = {kind.__name__: kind for kind in (Site, SolarInverter, Battery)}
OF_READ = {"sites": ("Site",), "devices": ("SolarInverter", "Battery")} | {
    "site": ("Site",),
    "solar_inverter": ("SolarInverter",),
    "battery": ("Battery",),
}
NESTED = {"bess": Bess, "recent_production": Production, "lifetime_production": Production, "recent_errors": Messages}
INTERVAL = {"start", "end", "kwh"}, {"soc_percent", "quality", "reporting"}
MEMBERS = {member.name for member in fields(Case)} - {"vendor"}
CODES = {
    kind.code
    for kind in vars(vendors.kit.errors).values()
    if isinstance(kind, type) and issubclass(kind, VendorError) and hasattr(kind, "code")
}


def problems_of(vendor):
    """A sentence for each thing that is wrong in the vendor's folder."""
    yield from problems_of_headers(vendor)
    try:
        listed = json.loads((cases.HERE / vendor / "cases.json").read_text())
    except FileNotFoundError:
        yield "cases.json is missing: a list of cases, described in CONTRIBUTING.md"
        return
    for number, members in enumerate(listed):
        for problem in problems_of_case(vendor, members):
            yield f"cases.json, case {number}: {problem}"


def problems_of_headers(vendor):
    try:
        headers = json.loads((cases.HERE / vendor / "headers.json").read_text())
    except FileNotFoundError:
        yield f'headers.json is missing: {{"{vendor}": {{"X-Authorization-{vendor}": "<a made-up credential>"}}}}'
        return
    for name in [vendor, *headers]:
        if f"x-authorization-{name}" not in map(str.lower, headers.get(name, {})):
            yield f"headers.json: the vendor {name} has no header X-Authorization-{name}"


def problems_of_case(vendor, members):
    """Of a case as it is written: its members, then the files that it names."""
    if unknown := set(members) - MEMBERS:
        yield f"unknown members {', '.join(sorted(unknown))}"
        return
    read = members.get("read")
    if read not in (*LISTS, *DETAILS, *SERIES):
        yield f"read is {read!r}, not one of {', '.join((*LISTS, *DETAILS, *SERIES))}"
        return
    needed = {"replies"} | ({"key"} if read not in LISTS else set())
    needed |= {"level", "start", "end", "now"} if read in SERIES else set()
    if missing := needed - set(members):
        yield f"{read} needs {', '.join(sorted(missing))}"
        return
    if ("expected" in members) == ("failure" in members):
        yield "either expected, the name of a file, or failure, the code of an error, must be there"
    if read in SERIES and members["level"] not in list(Level):
        yield f"level is {members['level']!r}, not one of {', '.join(Level)}"
    if "failure" in members and members["failure"] not in CODES:
        yield f"failure is {members['failure']!r}, not one of {', '.join(sorted(CODES))}"
    yield from problems_of_files(Case.of(vendor, members))


def problems_of_files(case):
    for file in case.files:
        path = cases.HERE / case.vendor / file
        if not path.exists():
            yield f"{file} is missing"
        elif file.endswith(".json"):
            try:
                json.loads(path.read_text())
            except ValueError as error:
                yield f"{file} is not JSON: {error}"
                return
    if case.expected and (cases.HERE / case.vendor / f"{case.expected}.expected.json").exists():
        for number, members in enumerate(case.expected_results()):
            for problem in problems_of_result(case, members):
                yield f"{case.expected}.expected.json, {number}: {problem}"


def problems_of_result(case, members):
    """Of an expected record or interval."""
    if case.read in SERIES:
        needed, optional = INTERVAL
        yield from problems_of_members("an interval", members, needed, needed | optional)
        return
    kind = RECORDS.get(members.get("record"))
    if members.get("record") not in OF_READ[case.read]:
        yield f"record is {members.get('record')!r}, not {' or '.join(OF_READ[case.read])}"
        return
    yield from problems_of_object(kind, {name: value for name, value in members.items() if name != "record"})
    for name in NESTED:
        if name in members:
            yield from problems_of_object(NESTED[name], members[name])
    for message in members.get("recent_errors", {}).get("found", ()):
        yield from problems_of_object(Message, message)


def problems_of_object(kind, members):
    known = {field.name for field in fields(kind)}
    # `start` of a production may be unknown, and nulls may be left out.
    needed = {field.name for field in fields(kind) if field.default is MISSING} - {"start"}
    yield from problems_of_members(kind.__name__, members, needed, known)


def problems_of_members(label, members, needed, known):
    if missing := needed - set(members):
        yield f"{label} needs {', '.join(sorted(missing))}"
    if unknown := set(members) - known:
        yield f"{label} has no {', '.join(sorted(unknown))}; its members are {', '.join(sorted(known))}"
