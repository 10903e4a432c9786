"""One attempt to have a valid access token: from the store, else from the vendor's token endpoint, under a lease."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy, Timeout, VendorError
from vendors.kit.tokens.endpoint import TokenEndpoint
from vendors.kit.tokens.store import Token, TokenStore

# A token is renewed this long before it expires. Longer than a request lasts (20 s by default), so that a token that is
# valid when a call is prepared is valid when the call arrives, and long enough for three tries at an endpoint that
# fails; a tenth of the 300 s for which the shortest-lived tokens are valid.
MARGIN_SECONDS = 30.0
# Bound on a call to a token endpoint, and while the present token is still valid.
RENEWAL_SECONDS = 6.0
EARLY_SECONDS = 3.0
# A renewal whose process dies blocks all others for this long: longer than its call may take, shorter than a request.
LEASE_SECONDS = 10.0
# How often the store is read while another renewal has the lease.
POLL_SECONDS = 0.25
# After a renewal, or a try while the present token was valid, the next try waits this long.
PAUSE_SECONDS = 10.0


@dataclass(slots=True)
class Kept:
    """A token with its times on this process's monotonic clock."""

    access: str = field(repr=False)
    expires_at: float
    renew_at: float

    @classmethod
    def of(cls, token: Token, now: float, pause: float) -> "Kept":
        """A token as it was at `now`: it is renewed before it expires, but not within the pause."""
        expires_at = now + token.seconds
        return cls(token.access, expires_at, min(max(expires_at - MARGIN_SECONDS, now + pause), expires_at))


@dataclass
class Renewal:
    """The search for a token that is valid for at least MARGIN_SECONDS.

    row: of the store. made_with: as in `Token`. refused: a token that must not be the result.
    valid: a token that may go on being used if the renewal fails.
    """

    store: TokenStore
    endpoint: TokenEndpoint
    credential: Credential
    row: str
    made_with: str
    deadline: Deadline
    refused: str = ""
    valid: Kept | None = None
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    has_called: bool = False
    """Whether a token was asked for at the endpoint."""
    keeps_lease: bool = field(default=False, init=False)
    """Whether the lease is left to expire after a failure."""
    previous: Token | None = field(default=None, init=False)
    """The stored token, as it was read last."""

    def run(self) -> Kept:
        """The token. Raises VendorError if there is none that is valid."""
        try:
            return self._fresh()
        except VendorError:
            if self.valid is None:
                raise
        # Another renewal is under way, or this one has failed: the present token is good until it expires.
        self.valid.renew_at = min(self.clock() + PAUSE_SECONDS, self.valid.expires_at)
        return self.valid

    def stored(self) -> Kept | None:
        """The stored token if no renewal is needed. A token that is merely still valid is remembered as such."""
        now = self.clock()
        token = self.previous = self.store.read(self.row)
        if token is None or token.access == self.refused or token.made_with != self.made_with or token.seconds <= 0:
            return None
        kept = Kept.of(token, now, 0.0)
        if token.seconds > MARGIN_SECONDS:
            return kept
        self.valid = kept
        return None

    def _fresh(self) -> Kept:
        holder = secrets.token_hex(16)
        while True:
            if stored := self.stored():
                return stored
            if self.store.lease(self.row, holder, LEASE_SECONDS):
                return self._under_lease(holder)
            if self.valid or self.deadline.left() <= POLL_SECONDS:
                raise Timeout(self.endpoint.url, "another renewal of the access token has not ended")
            self.wait(POLL_SECONDS)

    def _under_lease(self, holder: str) -> Kept:
        was_written = False
        try:
            # Read once more: another renewal may have ended since.
            if stored := self.stored():
                return stored
            now = self.clock()
            token = self._new_token(now)
            was_written = self._write(holder, token)
        finally:
            if not (was_written or self.keeps_lease):
                self.store.release(self.row, holder)
        if not was_written:
            why = "the credentials have changed, or their access token is being renewed by another process"
            raise Busy(self.endpoint.url, why, retry_after=LEASE_SECONDS)
        return Kept.of(token, now, PAUSE_SECONDS)

    def _new_token(self, now: float) -> Token:
        self.has_called = True
        token = self.endpoint.token(self.credential, Deadline(self._patience(now)), self.previous)
        return replace(token, made_with=self.made_with)

    def _write(self, holder: str, token: Token) -> bool:
        return self.store.write(self.row, holder, token)

    def _patience(self, now: float) -> float:
        """Seconds for which the request waits for the endpoint."""
        bound = min(EARLY_SECONDS, self.valid.expires_at - now) if self.valid else RENEWAL_SECONDS
        return min(self.deadline.left(), bound)
