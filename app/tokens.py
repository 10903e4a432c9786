"""Access tokens: signed statements (JWT) that name a client for an hour."""

from __future__ import annotations

import secrets
import time

import jwt

LIFETIME = 3600  # seconds
ISSUER = "derapi-server"
# Named here, never taken from the token: a token could ask for "none".
ALGORITHM = "HS256"


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
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"require": ["iss", "sub", "iat", "exp", "jti"]},
        )
    except jwt.InvalidTokenError:
        return None
    return str(claims["sub"])
