"""The vendors of a session or flow: how each is asked for consent, and with which application of the client."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.credentials.cipher import Cipher, Owner, Sealed
from app.credentials.rules import Rules, secret_member
from app.storage.credential_tables import VendorCredentialRow
from app.web.problems import Problem, invalid
from vendors.kit.variants import BackChannel, CodeGrant, TypedKeys, Variant

MAX_VENDORS = 20
# The kind of secrets that came inline with a session or flow.
INLINE = "join"
FindRow = Callable[[str], VendorCredentialRow | None]


@dataclass(frozen=True, slots=True)
class VendorConfig:
    """One vendor of a session or flow.

    credentials_id: the stored credentials of the application; None if its id and secret came inline, or if the owner
    types keys in and no application is needed.
    """

    vendor: str
    type: str
    credentials_id: str | None = None


@dataclass(frozen=True, slots=True)
class Configs:
    """Checked configurations, in the order in which they were posted, and the secrets that came inline, by vendor."""

    vendors: Sequence[VendorConfig]
    secrets: Mapping[str, Mapping[str, str]]

    def as_json(self) -> list[dict[str, Any]]:
        """The configurations for a column; no secret among them."""
        return [asdict(vendor) for vendor in self.vendors]

    def sealed(self, cipher: Cipher, client_id: str, row: str) -> Sealed | None:
        """The inline secrets, encrypted for a row; None if there are none."""
        flat = {f"{vendor}.{name}": text for vendor, members in self.secrets.items() for name, text in members.items()}
        return cipher.seal(owner_of(client_id, row), flat) if flat else None


def owner_of(client_id: str, row: str) -> Owner:
    """The owner that is bound into the inline secrets of a session or flow."""
    return Owner(INLINE, client_id, row, "", "")


def opened(cipher: Cipher, client_id: str, row: str, sealed: Sealed | None) -> dict[str, dict[str, str]]:
    """The inline secrets of a row by vendor. Raises Unreadable."""
    secrets: dict[str, dict[str, str]] = {}
    flat = cipher.open(owner_of(client_id, row), sealed) if sealed else {}
    for name, text in flat.items():
        vendor, _, member = name.partition(".")
        secrets.setdefault(vendor, {})[member] = text
    return secrets


def parse(posted: Sequence[Mapping[str, Any]], rules: Rules, find_row: FindRow) -> Configs:
    """The configurations of a request; raises a 400 Problem that names the first wrong member.

    find_row: the client's stored credentials with an id.
    """
    if not 1 <= len(posted) <= MAX_VENDORS:
        raise invalid(f"vendors: Must have 1 to {MAX_VENDORS} vendors.")
    vendors: list[VendorConfig] = []
    secrets: dict[str, Mapping[str, str]] = {}
    for number, entry in enumerate(posted):
        config, inline = _parse_one(f"vendors.{number}", entry, rules, find_row)
        if any(config.vendor == other.vendor for other in vendors):
            raise invalid(f"vendors.{number}.vendor: {config.vendor} stands here twice.")
        vendors.append(config)
        if inline:
            secrets[config.vendor] = inline
    return Configs(vendors, secrets)


def _parse_one(
    where: str, entry: Mapping[str, Any], rules: Rules, find_row: FindRow
) -> tuple[VendorConfig, Mapping[str, str]]:
    vendor = entry["vendor"]
    variants = consenting(rules, vendor)
    if not variants:
        known = [name for name in rules.variants if consenting(rules, name)]
        raise invalid(f"{where}.vendor: Owners can give consent for {', '.join(known)}.")
    credentials = entry.get("credentials")
    if credentials is None:
        return VendorConfig(vendor, _only(variants, TypedKeys, f"{where}.credentials").type), {}
    if "credentialsID" in credentials:
        return _referenced(where, vendor, credentials, variants, find_row), {}
    variant = _only(variants, CodeGrant, f"{where}.credentials")
    return VendorConfig(vendor, variant.type), _inline(f"{where}.credentials", credentials, variant)


def consenting(rules: Rules, vendor: str) -> list[Variant]:
    """The forms of a vendor's credentials to which owners can give consent here."""
    forms = CodeGrant | BackChannel | TypedKeys
    return [variant for variant in rules.variants.get(vendor, {}).values() if isinstance(variant.consent, forms)]


def _only(variants: Sequence[Variant], form: type, where: str) -> Variant:
    """The vendor's variant with this form of consent. Raises a 400 Problem if it has none."""
    for variant in variants:
        if isinstance(variant.consent, form):
            return variant
    if form is TypedKeys:
        raise invalid(f"{where}: Missing data for required field.")
    raise invalid(f"{where}: This vendor's owners type their keys in; leave the member out.")


def _referenced(
    where: str, vendor: str, credentials: Mapping[str, Any], variants: Sequence[Variant], find_row: FindRow
) -> VendorConfig:
    member = f"{where}.credentials.credentialsID"
    if len(credentials) > 1:
        raise invalid(f"{member}: Stands alone, without secrets.")
    row = find_row(credentials["credentialsID"])
    if row is None or row.vendor != vendor:
        raise invalid(f"{member}: This client has no stored credentials of {vendor} with this id.")
    usable = [variant.type for variant in variants if not isinstance(variant.consent, TypedKeys)]
    if row.type not in usable:
        raise invalid(f"{member}: Owners give consent to credentials of type {' or '.join(usable) or 'none'}.")
    return VendorConfig(vendor, row.type, row.id)


def _inline(where: str, credentials: Mapping[str, Any], variant: Variant) -> Mapping[str, str]:
    for name in credentials:
        if name not in variant.members:
            raise invalid(f"{where}.{name}: There is no such member.")
    return {name: secret_member(credentials, name, where) for name in variant.members}


def unknown_vendor(vendor: str) -> Problem:
    """404: the session or flow does not have this vendor."""
    return Problem(404, "not_found", f"This link is not for {vendor}.")
