"""How the rows of stored credentials and grants become credentials that open their vendor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from app.credentials.cipher import Cipher, Unreadable
from app.credentials.rows import owner_of, sealed_in, stored_row
from app.credentials.rules import Rules
from app.storage.credential_tables import VendorCredentialRow
from app.storage.grant_table import GrantRow
from vendors.kit import Credential
from vendors.kit.credentials import StoredRow
from vendors.kit.variants import Variant

# Before the name of a part that came with the owner's consent, among the secrets of a grant. No member of a variant
# contains a dot.
GRANTED = "granted."


class VariantUnknown(Unreadable):
    """No plugin declares the variant any longer."""

    code = "credentials_type_unknown"
    says = "This server has no plugin for the type of the stored credentials."
    advice = "Delete these credentials, or tell the operator of this server to install the plugin again."


class MemberMissing(Unreadable):
    """The plugin has come to need a member that the stored credentials lack."""

    code = "credentials_incomplete"
    says = "The stored credentials lack a member that this version of the server needs."
    advice = "Add the member with PATCH /vendor-credentials/{id}."


@dataclass(frozen=True, slots=True)
class Source:
    """A row, with its grant if it is one, and the stored credentials of the application that the owner agreed to."""

    row: VendorCredentialRow
    grant: GrantRow | None = None
    application: VendorCredentialRow | None = None

    @property
    def version(self) -> tuple[Any, ...]:
        """Differs once the credential that it opens differs."""
        region = self.grant.region if self.grant else None
        application = self.application.ciphertext if self.application else None
        return self.row.ciphertext, self.row.name, region, application


@dataclass(slots=True)
class Opener:
    """Decrypts rows. For one pass over many: an application that many grants share is decrypted once."""

    cipher: Cipher
    rules: Rules
    _applications: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def open(self, source: Source) -> Credential:
        """The credential. Raises Unreadable."""
        row, grant = source.row, source.grant
        variant = self.rules.find(row.vendor, row.type)
        if variant is None:
            raise VariantUnknown(why=f"{row.id} is of type {row.type}")
        secrets = self.cipher.open(owner_of(row), sealed_in(row))
        members = secrets
        if source.application is not None:
            members = {**secrets, **self._secrets_of(source.application)}
        if missing := [name for name in variant.members if name not in members]:
            raise MemberMissing(why=f"{row.id} has no {', '.join(missing)}")
        region = grant.region if grant else None
        return credential_of(variant, members, stored_row(row), region=region)

    def _secrets_of(self, application: VendorCredentialRow) -> dict[str, str]:
        if application.id not in self._applications:
            self._applications[application.id] = self.cipher.open(owner_of(application), sealed_in(application))
        return self._applications[application.id]


def credential_of(
    variant: Variant, secrets: Mapping[str, str], row: StoredRow, region: str | None = None
) -> Credential:
    """The credential of a row with these secrets."""
    members = {name: value for name, value in secrets.items() if not name.startswith(GRANTED)}
    # Of the consent in a browser to this variant; they may be none.
    granted = {name.removeprefix(GRANTED): value for name, value in secrets.items() if name.startswith(GRANTED)}
    return Credential.stored(variant, members, row, granted if row.is_grant and variant.needs_consent else None, region)


def source_of(session: Session, row: VendorCredentialRow) -> Source:
    """The row with what is needed to open it."""
    grant = session.get(GrantRow, row.id) if row.is_grant else None
    application = session.get(VendorCredentialRow, grant.credentials_id) if grant and grant.credentials_id else None
    return Source(row, grant, application)


def sources_of(session: Session, client_id: str) -> list[Source]:
    """All rows of a client, in the order in which they were stored."""
    query = select(VendorCredentialRow).where(VendorCredentialRow.client_id == client_id)
    query = query.order_by(VendorCredentialRow.created_at, VendorCredentialRow.id)
    rows = list(session.scalars(query))
    by_id = {row.id: row for row in rows}
    of_client = select(GrantRow).where(GrantRow.client_id == client_id).options(lazyload(GrantRow.stored))
    grants = {grant.id: grant for grant in session.scalars(of_client)}
    return [Source(row, grants.get(row.id), _application(grants.get(row.id), by_id)) for row in rows]


def _application(grant: GrantRow | None, rows: Mapping[str, VendorCredentialRow]) -> VendorCredentialRow | None:
    return rows.get(grant.credentials_id) if grant and grant.credentials_id else None
