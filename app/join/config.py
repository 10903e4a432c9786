"""The vendors of a session or flow: how each is asked for consent, and with which application of the client."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.credentials.cipher import Cipher, Owner, Sealed
from app.credentials.rules import Rules, secret_member
from app.storage.credential_tables import VendorCredentialRow
from app.web.problems import Problem, invalid
from vendors.kit.variants import BackChannel, CodeGrant, TypedKeys, Variant

MAX_VENDORS = 20
# The kind of secrets that came inline with a session or flow.
INLINE = "join"
REFERENCE = "credentialsID"
FindRow = Callable[[str], VendorCredentialRow | None]
FORMS = CodeGrant | BackChannel | TypedKeys


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
    secrets: Mapping[str, Mapping[str, str]] = field(repr=False)

    def as_json(self) -> list[dict[str, Any]]:
        """The configurations for a column; no secret among them."""
        return [asdict(vendor) for vendor in self.vendors]

    def sealed(self, cipher: Cipher, client_id: str, row: str) -> dict[str, str]:
        """The inline secrets, encrypted for a row, as its columns; empty if there are none."""
        flat = {f"{vendor}.{name}": text for vendor, members in self.secrets.items() for name, text in members.items()}
        return asdict(cipher.seal(owner_of(client_id, row), flat)) if flat else {}


def owner_of(client_id: str, row: str) -> Owner:
    """The owner that is bound into the inline secrets of a session or flow."""
    return Owner(INLINE, client_id, row, "", "")


def opened(cipher: Cipher, client_id: str, row: str, sealed: Sealed | None, vendor: str) -> dict[str, str]:
    """The inline secrets for a vendor of a row, by their public names. Raises Unreadable."""
    flat = cipher.open(owner_of(client_id, row), sealed) if sealed else {}
    prefix = f"{vendor}."
    return {name.removeprefix(prefix): text for name, text in flat.items() if name.startswith(prefix)}


class Parser:
    """Checks configurations that clients post.

    rules: the variants of all vendors. reasons: why owners cannot give consent, by vendor, where its plugin says so.
    """

    def __init__(self, rules: Rules, reasons: Mapping[str, str]) -> None:
        self._rules, self._reasons = rules, reasons

    @property
    def vendors(self) -> list[str]:
        """The vendors whose owners can give consent."""
        return [name for name in self._rules.variants if self.consenting(name)]

    def consenting(self, vendor: str) -> list[Variant]:
        """The forms of a vendor's credentials to which owners can give consent."""
        variants = self._rules.variants.get(vendor, {}).values()
        return [variant for variant in variants if isinstance(variant.consent, FORMS)]

    def parse(self, posted: Iterable[Mapping[str, Any]], find_row: FindRow, *, stores: bool) -> Configs:
        """The configurations of a request; raises a 400 Problem that names the first wrong member.

        find_row: the client's stored credentials with an id. stores: whether what owners grant is kept.
        """
        vendors: list[VendorConfig] = []
        secrets: dict[str, Mapping[str, str]] = {}
        for number, entry in enumerate(posted):
            where = f"vendors.{number}"
            config, inline = self._parse_one(where, entry, find_row)
            if any(config.vendor == other.vendor for other in vendors):
                raise invalid(f"{where}.vendor: {config.vendor} stands here twice.")
            if not stores and isinstance(self._rules.variants[config.vendor][config.type].consent, BackChannel):
                raise invalid(f"{where}.vendor: Consent by e-mail comes later; it needs storeCredentials to be true.")
            vendors.append(config)
            if inline:
                secrets[config.vendor] = inline
        return Configs(vendors, secrets)

    def _parse_one(
        self, where: str, entry: Mapping[str, Any], find_row: FindRow
    ) -> tuple[VendorConfig, Mapping[str, str]]:
        variants = self._variants(where, entry)
        vendor, where = entry["vendor"], f"{where}.credentials"
        if "credentials" not in entry:
            return VendorConfig(vendor, _only(variants, TypedKeys, where).type), {}
        credentials = entry["credentials"]
        if not isinstance(credentials, Mapping):
            raise invalid(f"{where}: Must be a JSON object.")
        if REFERENCE in credentials:
            return _referenced(where, vendor, credentials, variants, find_row), {}
        variant = _only(variants, CodeGrant, where)
        return VendorConfig(vendor, variant.type), _inline(where, credentials, variant)

    def _variants(self, where: str, entry: Mapping[str, Any]) -> list[Variant]:
        vendor = entry.get("vendor")
        if not isinstance(vendor, str):
            raise invalid(f"{where}.vendor: Must be the name of a vendor.")
        if vendor in self._reasons:
            raise invalid(f"{where}.vendor: {self._reasons[vendor]}")
        variants = self.consenting(vendor)
        if not variants:
            raise invalid(f"{where}.vendor: Owners can give consent for {', '.join(self.vendors)}.")
        for name in entry:
            if name not in ("vendor", "credentials"):
                raise invalid(f"{where}.{name[:50]}: There is no such member.")
        return variants


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
    id, where = credentials[REFERENCE], f"{where}.{REFERENCE}"
    if len(credentials) > 1:
        raise invalid(f"{where}: Stands alone, without secrets.")
    row = find_row(id) if isinstance(id, str) else None
    if row is None or row.vendor != vendor or row.is_grant:
        raise invalid(f"{where}: This client has stored no credentials of {vendor} with this id.")
    usable = [variant.type for variant in variants if not isinstance(variant.consent, TypedKeys)]
    if row.type not in usable:
        raise invalid(
            f"{where}: Owners of {vendor} give consent to credentials of type {' or '.join(usable) or 'none'}."
        )
    return VendorConfig(vendor, row.type, row.id)


def _inline(where: str, credentials: Mapping[str, Any], variant: Variant) -> Mapping[str, str]:
    for name in credentials:
        if name not in variant.members:
            raise invalid(f"{where}.{name[:50]}: There is no such member.")
    return {name: secret_member(credentials, name, where) for name in variant.members}


def limit_reached(code: str, detail: str, limit: int) -> Problem:
    """409: the client has as many of something as it may have."""
    return Problem(409, code, detail, limit=limit)
