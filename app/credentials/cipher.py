"""Encryption of stored secrets: Fernet (AES-128-CBC with HMAC-SHA256), under keys derived from CREDENTIAL_KEYS.

Fernet authenticates no associated data. What a secret belongs to is therefore part of the plaintext, and compared when
it is opened: a ciphertext that was moved to another row or client is refused.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import orjson
import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.web.problems import Problem
from vendors.kit import VendorError

logger = structlog.stdlib.get_logger(__name__)

KEY_BYTES, ID_BYTES = 32, 8
# The kinds of secrets: none can stand in the place of another.
CREDENTIALS, TOKEN, VENDOR_KEY = "credentials", "token", "vendor_key"


class Unreadable(VendorError):
    """A stored secret cannot be read. Only the operator can change that."""

    status, reason = 503, "Service Unavailable"
    fault = "server"

    @property
    def problem(self) -> Problem:
        """The failure as a response."""
        return Problem(self.status, self.code, self.detail, fault=self.fault, action=self.advice)


class KeyMissing(Unreadable):
    """No key of this process opens the secret."""

    code = "credentials_key_missing"
    says = "Stored credentials are encrypted with a key that this server no longer has."
    advice = "Tell the operator of this server to add the former key to CREDENTIAL_KEYS."


class Tampered(Unreadable):
    """The ciphertext was changed, or belongs to another row or client."""

    code = "credentials_tampered"
    says = "Stored credentials were changed in the database, or moved there, and are refused."
    advice = "Delete these credentials and store them again; the operator of this server finds an alarm in its log."


@dataclass(frozen=True, slots=True)
class Owner:
    """The row, client and kind that a secret belongs to."""

    kind: str
    client: str
    row: str
    vendor: str
    type: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is stored, and the id of the key that encrypted it."""

    key_id: str
    ciphertext: str


class Cipher:
    """Encrypts with the first key, decrypts with each. Without keys it can do neither."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.key_ids = tuple(_derived(key, b"derapi-credentials-key-id", ID_BYTES).hex() for key in keys)
        fernets = [Fernet(base64.urlsafe_b64encode(_derived(key, b"derapi-credentials-key"))) for key in keys]
        self._fernet = MultiFernet(fernets) if fernets else None

    def seal(self, owner: Owner, secrets: Mapping[str, str]) -> Sealed:
        """Encrypts the secrets together with their owner. Raises KeyMissing without keys."""
        if self._fernet is None:
            raise KeyMissing
        plaintext = orjson.dumps({**asdict(owner), "secrets": dict(secrets)})
        return Sealed(self.key_ids[0], self._fernet.encrypt(plaintext).decode())

    def open(self, owner: Owner, sealed: Sealed) -> dict[str, str]:
        """The secrets of this owner. Raises Unreadable, with an alarm in the log: no key fits, or another owner's."""
        try:
            return self._open(owner, sealed)
        except Unreadable as failure:
            logger.error(
                "stored secret refused", code=failure.code, why=failure.why, key=sealed.key_id, **asdict(owner)
            )
            raise

    def _open(self, owner: Owner, sealed: Sealed) -> dict[str, str]:
        if self._fernet is None or sealed.key_id not in self.key_ids:
            raise KeyMissing(why=f"{owner.row} has the key {sealed.key_id}")
        try:
            members = orjson.loads(self._fernet.decrypt(sealed.ciphertext.encode()))
        except InvalidToken:
            raise Tampered(why=f"the ciphertext of {owner.row} is damaged") from None
        secrets: dict[str, str] = members.pop("secrets")
        if members != asdict(owner):
            raise Tampered(why=f"the ciphertext of {owner.row} belongs elsewhere")
        return secrets


def _derived(key: str, purpose: bytes, length: int = KEY_BYTES) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(key.encode())
