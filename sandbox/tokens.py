"""Bearer tokens that expire in real time, and their refresh tokens, which expire by the clock of the data."""

import math
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.consent.consents import Consent, State

# How long an expired access token is remembered, so that a vendor can answer it otherwise than an unknown one.
REMEMBERED_SECONDS = 86_400


@dataclass(frozen=True)
class Issued:
    """A pair of tokens as a token endpoint issues it; `lifetime` is that of the access token, in seconds."""

    access: str
    refresh: str
    lifetime: int


@dataclass
class _Held:
    """A token. consent: of the owner for whom it stands; None for tokens of a client itself.

    Of a refresh token: replaces: the one that it was issued for. replaced_by: the newest that was issued for it.
    """

    client: str
    consent: Consent | None
    expires: float
    replaces: str = ""
    replaced_by: str = ""
    used_at: float = math.inf


class Tokens:
    """Tokens of clients, in memory. A refresh token works once and is replaced by the next one."""

    def __init__(
        self,
        lifetime: int,
        real_time: Callable[[], float],
        *,
        clock: Callable[[], float] | None = None,
        refresh_lifetime: Callable[[Consent | None], float] = lambda _: math.inf,
        reuse_seconds: Callable[[], float] = lambda: 0.0,
        make_access: Callable[[Consent | None, int], str] = lambda _consent, _seconds: secrets.token_urlsafe(32),
    ) -> None:
        """clock: of the data. refresh_lifetime: seconds. make_access: an access token of that consent and lifetime.

        reuse_seconds: how long a used refresh token is taken again, as long as its successor was not used.
        """
        self.usual_lifetime = self._lifetime = lifetime
        self.refreshes = self.refused_refreshes = 0
        self._real_time, self._clock = real_time, clock or real_time
        self._refresh_lifetime, self._reuse_seconds, self._make = refresh_lifetime, reuse_seconds, make_access
        self._lock = threading.RLock()
        self._access: dict[str, _Held] = {}
        self._refresh: dict[str, _Held] = {}

    def issue(self, client: str, consent: Consent | None = None, *, access: str = "", replaces: str = "") -> Issued:
        """A new pair for the client, in its own name or in that of an owner; `access`: that text as access token."""
        access, refresh = access or self._make(consent, self._lifetime), secrets.token_urlsafe(32)
        now = self._real_time()
        with self._lock:
            oldest = now - REMEMBERED_SECONDS
            self._access = {token: held for token, held in self._access.items() if held.expires > oldest}
            self._access[access] = _Held(client, consent, now + self._lifetime)
            expires = self._clock() + self._refresh_lifetime(consent)
            self._refresh[refresh] = _Held(client, consent, expires, replaces)
        return Issued(access, refresh, self._lifetime)

    def refresh(self, refresh: str, client: str) -> tuple[Issued, Consent | None] | None:
        """The next pair, and the owner's consent; None if the refresh token is not one of the client's that works."""
        with self._lock:
            held = self._refresh.get(refresh)
            if held is None or held.client != client or not self._works(held):
                self.refused_refreshes += 1
                return None
            self.refreshes += 1
            if held.consent:
                held.consent.refreshes += 1
            self._spend(refresh, held)
            issued = self.issue(client, held.consent, replaces=refresh)
            held.replaced_by = issued.refresh
            return issued, held.consent

    def end(self, token: str, client: str | None = None) -> Consent | None:
        """Makes a refresh token invalid, and returns the consent behind it or behind an access token.

        client: whose it must be; None for any.
        """
        with self._lock:
            held = self._refresh.get(token) or self._access.get(token)
            if held is None or client not in (None, held.client):
                return None
            self._refresh.pop(token, None)
            return held.consent

    def set_lifetime(self, seconds: int) -> None:
        """Sets the lifetime of access tokens that are issued from now on."""
        self._lifetime = seconds

    def forget(self) -> None:
        """Makes all access tokens invalid; refresh tokens stay valid."""
        with self._lock:
            self._access = {}

    def client_of(self, access: str) -> str | None:
        """The client that holds the access token; None when it is unknown, has expired, or its consent has ended."""
        held = self._good(access)
        return held.client if held else None

    def consent_of(self, access: str) -> Consent | None:
        """The owner's consent behind a good access token; None if there is none."""
        held = self._good(access)
        return held.consent if held else None

    def has_expired(self, access: str) -> bool:
        """Whether the access token was good once."""
        held = self._access.get(access)
        return held is not None and held.expires <= self._real_time()

    def _good(self, access: str) -> _Held | None:
        held = self._access.get(access)
        is_good = held is not None and held.expires > self._real_time() and self._has_consent(held)
        return held if is_good else None

    def _works(self, held: _Held) -> bool:
        now = self._clock()
        return now < held.expires and now <= held.used_at + self._reuse_seconds() and self._has_consent(held)

    def _has_consent(self, held: _Held) -> bool:
        return held.consent is None or held.consent.state(self._clock()) is State.ACCEPTED

    def _spend(self, refresh: str, held: _Held) -> None:
        """Voids the token, or keeps it for a while: then what it replaced is void for good, and so is the answer of an
        earlier use."""
        self._refresh.pop(held.replaces, None)
        self._refresh.pop(held.replaced_by, None)
        held.used_at = min(held.used_at, self._clock())
        if not self._reuse_seconds():
            del self._refresh[refresh]
