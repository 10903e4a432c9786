"""Access tokens: signed statements (JWT) that name a client for an hour."""

from __future__ import annotations

import secrets
import threading
import time
from hashlib import blake2b

import jwt
from cachetools import LRUCache

LIFETIME = 3600  # seconds
# So much the clocks of two hosts may differ.
LEEWAY_SECONDS = 5
ISSUER = "derapi-server"
# Named here, never taken from the token: a token could ask for "none".
ALGORITHM = "HS256"
# Tokens whose signature was found good, under a keyed hash: the client, and when the token ends.
_verified: LRUCache[bytes, tuple[str, int]] = LRUCache(10_000)
_lock = threading.Lock()


def issue(client_id: str, key: str) -> tuple[str, int]:
    """A token for the client and the time (epoch seconds) at which it ends."""
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
    """The client that a token names; None when the token is not one of ours or has ended."""
    digest = blake2b(token.encode(), key=blake2b(key.encode()).digest()).digest()
    with _lock:
        client_id, end = _verified.get(digest, ("", 0))
    if end + LEEWAY_SECONDS > time.time():
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
