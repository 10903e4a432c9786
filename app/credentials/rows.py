"""Rows of stored credentials and grants: their ids, their owners, and how errors show them."""

import re
import secrets
import string

from app.credentials.cipher import CREDENTIALS, Owner, Sealed
from app.storage.credential_tables import VendorCredentialRow
from vendors.kit.credentials import StoredRow

CREDENTIALS_ID, GRANT_ID = "cred-", "grnt-"
ID_ALPHABET = string.digits + string.ascii_lowercase


def new_id(prefix: str) -> str:
    """A random id, CREDENTIALS_ID or GRANT_ID at its beginning."""
    return prefix + "".join(secrets.choice(ID_ALPHABET) for _ in range(16))


def possible_id(id: str, prefix: str = CREDENTIALS_ID) -> str:
    """The id, or an id of no row for any other text: Postgres refuses texts with NUL as query parameters."""
    return id if re.fullmatch(prefix + "[0-9a-z]{16}", id) else ""


def owner_of(row: VendorCredentialRow, kind: str = CREDENTIALS) -> Owner:
    """The owner that is bound into the ciphertext of a row, or of its token."""
    return Owner(kind, row.client_id, row.id, row.vendor, row.type)


def sealed_in(row: VendorCredentialRow) -> Sealed:
    """The ciphertext of a row."""
    return Sealed(row.key_id, row.ciphertext)


def stored_row(row: VendorCredentialRow) -> StoredRow:
    """The row as errors show it."""
    return StoredRow(row.client_id, row.id, row.name, row.is_grant)
