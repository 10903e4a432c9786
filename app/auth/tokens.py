"""Access tokens: JSON Web Tokens that name a client for an hour.

Verified tokens are cached: to verify one each time would be a sixth of the CPU of a list from cached replies (November
2026, docs/performance.md).
"""

import secrets
import threading
import time
from hashlib import blake2b

import jwt
from cachetools import LRUCache

LIFETIME = 3600  # seconds
# The clocks of two hosts may differ by this much.
LEEWAY_SECONDS = 5
ISSUER = "derapi-server"
# Fixed here, never taken from the token: its header could say "none".
ALGORITHM = "HS256"
# Verified tokens, under a keyed hash: the client, and the time (epoch seconds) at which the token expires.
_verified: LRUCache[bytes, tuple[str, int]] = LRUCache(10_000)
_lock = threading.Lock()


def issue(client_id: str, key: str) -> tuple[str, int]:
    """A token for the client and the time (epoch seconds) at which it expires."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM), now + LIFETIME


def subject(token: str, key: str) -> str | None:
    """The client that a token names; None when the token is not ours or has expired."""
    digest = blake2b(token.encode(), key=blake2b(key.encode()).digest()).digest()
    with _lock:
        client_id, expires_at = _verified.get(digest, ("", 0))
    if expires_at + LEEWAY_SECONDS > time.time():
        return client_id
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "iat", "exp", "jti"]},
        )
    except jwt.InvalidTokenError:
        return None
    with _lock:
        _verified[digest] = str(claims["sub"]), claims["exp"]
    return str(claims["sub"])
