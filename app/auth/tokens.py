"""Access tokens: JSON Web Tokens that name a client and its scopes for an hour.

Verified tokens are cached: to verify one each time would be a sixth of the CPU of a list from cached replies (November
2026, docs/performance.md).
"""

import secrets
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import jwt
from cachetools import LRUCache

from app.auth import scopes
from app.auth.scopes import Scope

LIFETIME = 3600  # seconds
# The clocks of two hosts may differ by this much.
LEEWAY_SECONDS = 5
ISSUER = "derapi-server"
# Fixed here, never taken from the token: its header could say "none".
ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A verified token. `scopes` is None in a token of a release without scopes: it has all of its client's."""

    client_id: str
    expires_at: int  # epoch seconds
    scopes: frozenset[Scope] | None


class Tokens:
    """Issues and verifies tokens. keys: the newest first, which signs; each verifies, so that tokens outlive a change
    of the key."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)
        # Under a keyed hash, so that no token is kept.
        self._verified: LRUCache[bytes, AccessToken] = LRUCache(10_000)
        self._hash_key = secrets.token_bytes(32)
        self._lock = threading.Lock()

    def issue(self, client_id: str, granted: Collection[Scope]) -> tuple[str, int]:
        """A token for the client with these scopes, and the time (epoch seconds) at which it expires."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": client_id,
            "scope": scopes.text(granted),
            "iat": now,
            "exp": now + LIFETIME,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, self._keys[0], algorithm=ALGORITHM), now + LIFETIME

    def read(self, token: str) -> AccessToken | None:
        """A token's content; None when the token is not ours or has expired."""
        digest = blake2b(token.encode(), key=self._hash_key).digest()
        with self._lock:
            verified = self._verified.get(digest)
        if verified is not None and verified.expires_at + LEEWAY_SECONDS > time.time():
            return verified
        claims = self._claims(token)
        if claims is None:
            return None
        scope = claims.get("scope")
        verified = AccessToken(str(claims["sub"]), claims["exp"], None if scope is None else scopes.parse(str(scope)))
        with self._lock:
            self._verified[digest] = verified
        return verified

    def _claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a valid token, whichever key has signed it."""
        for key in self._keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key,
                    algorithms=[ALGORITHM],
                    issuer=ISSUER,
                    leeway=LEEWAY_SECONDS,
                    options={"require": ["iss", "sub", "iat", "exp", "jti"]},
                )
                return claims
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError:
                return None
        return None
