"""Bearer tokens that expire in real time, and their refresh tokens."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Issued:
    """A pair of tokens as a token endpoint issues it; `lifetime` is that of the access token, in seconds."""

    access: str
    refresh: str
    lifetime: int


class Tokens:
    """Tokens of clients, in memory. A refresh token works once and is replaced by the next one."""

    def __init__(self, lifetime: int, real_time: Callable[[], float]) -> None:
        self.usual_lifetime = self._lifetime = lifetime
        self._real_time = real_time
        self._lock = threading.Lock()
        self._access: dict[str, tuple[str, float]] = {}
        self._refresh: dict[str, str] = {}

    def issue(self, client: str) -> Issued:
        """A new pair for the client."""
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        now = self._real_time()
        with self._lock:
            self._access = {token: held for token, held in self._access.items() if held[1] > now}
            self._access[access] = (client, now + self._lifetime)
            self._refresh[refresh] = client
        return Issued(access, refresh, self._lifetime)

    def set_lifetime(self, seconds: int) -> None:
        """Sets the lifetime of access tokens that are issued from now on."""
        self._lifetime = seconds

    def forget(self) -> None:
        """Makes all access tokens invalid; refresh tokens stay valid."""
        with self._lock:
            self._access = {}

    def client_of(self, access: str) -> str | None:
        """The client that holds the access token; None when it is unknown or has expired."""
        client, expires = self._access.get(access, ("", 0.0))
        return client if expires > self._real_time() else None

    def spend_refresh(self, refresh: str, client: str) -> bool:
        """Whether the refresh token was the client's; it is void afterwards."""
        with self._lock:
            if self._refresh.get(refresh) != client:
                return False
            del self._refresh[refresh]
            return True
