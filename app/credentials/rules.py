"""Rules for stored credentials: the variants that the plugins declare, and the members of each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.fleet.vendor_access import MAX_VALUE
from app.web.problems import Problem, invalid
from vendors.kit import Vendor
from vendors.kit.variants import Variant

# As the values of headers: many vendors want a secret in one.
PATTERN = r"[\x21-\x7e]+(?: [\x21-\x7e]+)*"
SECRET = re.compile(PATTERN)
VENDOR, TYPE = "vendor", "type"
MISSING = "Missing data for required field."


@dataclass(frozen=True, slots=True)
class NewCredentials:
    """Checked credentials that a client wants to be stored."""

    vendor: str
    type: str
    secrets: Mapping[str, str] = field(repr=False)
    """By the public name of the member."""


class Rules:
    """The variants of all vendors."""

    def __init__(self, vendors: Mapping[str, type[Vendor]]) -> None:
        self.variants: dict[str, dict[str, Variant]] = {
            name: {variant.type: variant for variant in vendor.variants}
            for name, vendor in vendors.items()
            if vendor.variants
        }

    def find(self, vendor: str, type: str) -> Variant | None:
        """The variant; None if no plugin declares it, or no longer."""
        return self.variants.get(vendor, {}).get(type)

    def check(self, posted: Mapping[str, Any]) -> NewCredentials:
        """The credentials; raises a 400 Problem that names the first wrong member."""
        vendor = _choice(posted, VENDOR, self.variants, "Credentials can be stored for")
        type = _choice(posted, TYPE, self.variants[vendor], f"Credentials of {vendor} are of type")
        members = self.variants[vendor][type].members
        for name in posted:
            if name not in (VENDOR, TYPE, *members):
                raise wrong(name, "There is no such member.")
        return NewCredentials(vendor, type, {name: secret_member(posted, name) for name in members})

    def merge(self, vendor: str, type: str, secrets: Mapping[str, str], patch: Mapping[str, Any]) -> NewCredentials:
        """Stored credentials with a merge patch (RFC 7396); raises a 400 Problem that names the first wrong member."""
        for name, stored in ((VENDOR, vendor), (TYPE, type)):
            if name in patch and patch[name] != stored:
                raise wrong(name, "Cannot be changed; store new credentials and delete these.")
        variant = self.find(vendor, type)
        # Members that the plugin has dropped since are left out: the client cannot know of them.
        kept = {name: secrets[name] for name in (variant.members if variant else ()) if name in secrets}
        # A null removes a member, of which each is required: the check refuses it by name.
        return self.check({VENDOR: vendor, TYPE: type, **kept, **patch})


def wrong(member: str, why: str, where: str = "credentials") -> Problem:
    """400 for a member of the credentials."""
    return invalid(f"{where}.{member}: {why}")


def _choice(posted: Mapping[str, Any], member: str, known: Mapping[str, Any], says: str) -> str:
    if member not in posted:
        raise wrong(member, MISSING)
    value = posted[member]
    if not isinstance(value, str) or value not in known:
        raise wrong(member, f"{says} {', '.join(known)}.")
    return value


def secret_member(posted: Mapping[str, Any], member: str, where: str = "credentials") -> str:
    """The value of a secret member; raises a 400 Problem. where: the name of the object that has it."""
    if member not in posted:
        raise wrong(member, MISSING, where)
    value = posted[member]
    if value is None:
        raise wrong(member, "Field may not be null.", where)
    if not isinstance(value, str):
        raise wrong(member, "Not a valid string.", where)
    if not 1 <= len(value) <= MAX_VALUE:
        raise wrong(member, f"Must have 1 to {MAX_VALUE} characters.", where)
    if not SECRET.fullmatch(value):
        raise wrong(member, "May hold visible ASCII characters and single blanks only.", where)
    return value
