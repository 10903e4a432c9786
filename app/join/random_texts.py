"""Random texts that open something, and the form in which they are kept."""

import hmac
import secrets
from hashlib import sha256


def random_text() -> str:
    """192 random bits, for a URL."""
    return secrets.token_urlsafe(24)


def hashed(text: str) -> str:
    """What is kept of a random text. One round of SHA-256 is enough: there is nothing to guess."""
    return sha256(text.encode(errors="replace")).hexdigest()


def is_text_of(text: str, kept: str) -> bool:
    """Whether this is the text of a kept hash."""
    return hmac.compare_digest(hashed(text), kept)
