"""The tables of docs/kit.md: every name that a plugin's author needs, with its signature and half a line."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from typing import Any

import vendors.kit as kit
from vendors.kit import Battery, Bess, Client, Message, Messages, Production, Reply, Site, SolarInverter, Vendor
from vendors.kit.parsing import reading

# Constants and aliases have no docstring.
WITHOUT_DOCSTRING = {
    "ANY": "in a `Shape`: everything below this member",
    "Convert": "gives the members of a record, by their names, from a row of a list",
    "GAP": "the longest gap over which what came after it is spread evenly",
    "Key": "the vendor's own stable identity of a site or device, as text parts",
    "MAX_CALLS": "calls to a vendor that a page of intervals may cost",
    "NEAR": "rows by which the power at the reset of a counter is estimated",
    "AnyDevice": "type variable: `SolarInverter` or `Battery`, the same throughout a signature",
    "DeviceRow": "a row of a list, of a solar inverter or of a battery",
    "OAUTH_CLIENT": "the members of a `Variant` that is an OAuth client: id and secret",
    "QUARTER": "15 minutes",
    "SiteRow": "a row of a list of sites",
}
GROUPS = {
    "the class and its calls": (
        "vendor",
        "calls",
        "limits",
        "reply",
        "messages",
        "credentials",
        "variants",
        "deadline",
        "http",
    ),
    "reading replies": ("parsing",),
    "records": ("records",),
    "battery control": ("control",),
    "series: clock, tiles, rows": ("series",),
    "errors": ("errors",),
}
# The end of a first sentence.
SENTENCE = re.compile(r"(?<!e\.g)\. (?=[A-Z])")
ELSE = "constants and aliases"
METHODS = (Client, Reply, Vendor)
RECORDS = (Site, SolarInverter, Battery, Bess, Production, Messages, Message)


def type_of(member: Field[Any]) -> str:
    """The type of a member as a page shows it: `?` for one that may be None."""
    text = member.type.__name__ if isinstance(member.type, type) else str(member.type)
    return re.sub(r"(?:\w+\.)+(?=\w)", "", text).replace(" | None", "?")


def names() -> str:
    """All names of `vendors.kit`, in groups, with the methods of what an author calls."""
    groups: dict[str, list[str]] = {group: [] for group in (*GROUPS, ELSE)}
    for name in kit.__all__:
        groups[_group_of(getattr(kit, name))].append(_line(name, getattr(kit, name)))
    for kind in METHODS:
        groups["the class and its calls"] += _methods(kind)
    return "\n" + "\n".join(f"**{group[0].upper()}{group[1:]}**\n\n{''.join(groups[group])}" for group in groups)


def readers() -> str:
    """All readers of members, from `vendors.kit.parsing.reading`."""
    found = [
        _line(name, value)
        for name, value in vars(reading).items()
        if inspect.isroutine(value) and value.__module__ == reading.__name__ and not name.startswith("_")
    ]
    return "\n" + "".join(found) + "\n"


def records() -> str:
    """The members of every record."""
    lines = []
    for kind in RECORDS:
        members = ", ".join(f"`{member.name}`: {type_of(member)}" for member in fields(kind))
        lines.append(f"- `{kind.__name__}`: {members}\n")
    return "\n" + "".join(lines) + "\n"


def freshness() -> str:
    """The kinds of freshness, with the seconds that apply unless the plugin declares others."""
    lines = ["| kind | a reply may be reused for |\n", "|---|---|\n"]
    lines += [f"| `Freshness.{kind.name}` | {Vendor.fresh_seconds[kind]:g} s |\n" for kind in kit.Freshness]
    return "\n" + "".join(lines) + "\n"


def _group_of(value: Any) -> str:
    parts = str(getattr(value, "__module__", "")).removeprefix("vendors.kit.").split(".")
    return next((group for group, rooms in GROUPS.items() if parts[0] in rooms), ELSE)


def _line(name: str, value: Any) -> str:
    sentence = WITHOUT_DOCSTRING.get(name) or (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")
    signature = "" if isinstance(value, type) and value in RECORDS else _signature(value)
    return f"- `{name}{signature}`: {SENTENCE.split(sentence)[0].rstrip('.')}\n"


def _signature(value: Any) -> str:
    """The parameters without their types; "" for what an author does not call."""
    is_called = inspect.isroutine(value) or is_dataclass(value) or value is kit.Shape
    if not is_called or not callable(value):
        return ""
    parameters = [one for one in inspect.signature(value).parameters.values() if one.name not in ("self", "cls")]
    return str(inspect.Signature([_readable(parameter) for parameter in parameters]))


class Default:
    """The default of a parameter, as it is written."""

    def __init__(self, value: Any) -> None:
        if isinstance(value, Enum):
            self._text = f"{type(value).__name__}.{value.name}"
        else:
            self._text = repr(value) if isinstance(value, str | int | float | tuple | None) else "..."

    def __repr__(self) -> str:
        return self._text


def _readable(parameter: inspect.Parameter) -> inspect.Parameter:
    plain = parameter.replace(annotation=inspect.Parameter.empty)
    has_default = parameter.default is not inspect.Parameter.empty
    return plain.replace(default=Default(parameter.default)) if has_default else plain


def _methods(kind: type) -> Iterator[str]:
    for name, value in vars(kind).items():
        if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
            yield _line(f"{kind.__name__}.{name}", value.__func__ if isinstance(value, classmethod) else value)
