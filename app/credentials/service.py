"""The parts that stored credentials are made of, as `create_app` puts them together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.credentials.changes import Transactions
from app.credentials.cipher import Cipher
from app.credentials.key_check import KeyCheck
from app.credentials.rotation import Rotation
from app.credentials.rules import Rules
from app.credentials.store import CredentialStore
from app.credentials.stored import StoredCredentials
from app.credentials.tokens import DatabaseTokens
from app.credentials.vendor_keys import VendorKeys
from app.storage.database import Database
from vendors.kit import Vendor


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials that clients have stored: to change (`store`), to use (`stored`, `tokens`), and their keys."""

    rules: Rules
    store: CredentialStore
    stored: StoredCredentials
    tokens: DatabaseTokens
    transactions: Transactions
    rotation: Rotation
    key_check: KeyCheck
    vendor_keys: VendorKeys


def open_credentials(
    database: Database,
    cipher: Cipher,
    tokens: DatabaseTokens,
    vendors: Mapping[str, type[Vendor]],
    clock: Callable[[], float],
) -> Credentials:
    """Stored credentials of these vendors. The tokens are made first, since the clouds need them."""
    rules, key_check = Rules(vendors), KeyCheck(database, cipher)
    stored = StoredCredentials(database, cipher, rules, clock)
    transactions = Transactions(database, key_check, changed=stored.forget)
    tokens.on_loss = stored.forget
    return Credentials(
        rules=rules,
        store=CredentialStore(transactions, cipher, rules),
        stored=stored,
        tokens=tokens,
        transactions=transactions,
        rotation=Rotation(database, cipher),
        key_check=key_check,
        vendor_keys=VendorKeys(database, cipher),
    )
