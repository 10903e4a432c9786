"""Key pairs (P-256) with which this service is registered at vendors: made once, the private key stored encrypted."""

from dataclasses import asdict
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy.exc import IntegrityError

from app.credentials.cipher import VENDOR_KEY, Cipher, Owner
from app.storage.database import Database
from app.storage.vendor_key_table import VendorKeyRow

PRIVATE_KEY = "private_key"


def owner_of_key(row: VendorKeyRow) -> Owner:
    """The owner that is bound into the ciphertext of a private key: the service itself, and no client."""
    return Owner(VENDOR_KEY, "", row.id, row.id, "")


class VendorKeys:
    """The key pair of each vendor that needs one."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher

    def public_key(self, vendor: str) -> str | None:
        """The public key as PEM; None if there is no pair yet. Raises SQLAlchemyError."""
        row = self._database.get(VendorKeyRow, vendor)
        return row.public_key if row else None

    def ensure(self, vendor: str) -> str:
        """The public key, of a pair that is made now if there is none. A pair that vendors know is never replaced.

        Raises KeyMissing without a key to encrypt with, or SQLAlchemyError.
        """
        present = self.public_key(vendor)
        if present is not None:
            return present
        try:
            with self._database.session() as session:
                session.add(self._new_row(vendor))
        except IntegrityError:
            # Another process has made one at the same time.
            pass
        return self.public_key(vendor) or ""

    def _new_row(self, vendor: str) -> VendorKeyRow:
        pair = ec.generate_private_key(ec.SECP256R1())
        public = pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        row = VendorKeyRow(id=vendor, public_key=public.decode(), created_at=datetime.now(UTC))
        sealed = asdict(self._cipher.seal(owner_of_key(row), {PRIVATE_KEY: private.decode()}))
        row.key_id, row.ciphertext = sealed["key_id"], sealed["ciphertext"]
        return row
