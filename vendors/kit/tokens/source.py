"""Access tokens for the stored credentials of one vendor, each renewed by one renewal at a time."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import inf

from cachetools import LRUCache

from vendors.kit.calls.single_flight import SingleFlight
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Timeout
from vendors.kit.tokens.endpoint import TokenEndpoint
from vendors.kit.tokens.grant_renewal import GrantRenewal
from vendors.kit.tokens.renewal import Kept, Renewal
from vendors.kit.tokens.store import Token, TokenStore

# Credentials whose token this process remembers.
MAX_KEPT = 10_000
# A token that was got because the one before was refused, and that is refused as well, is not replaced within this
# time: the vendor refuses this client's tokens, however new.
REFUSALS_SECONDS = 30.0
# A call of a grant that is refused with a new token as well is refused for another cause, e.g. since the application's
# plan does not cover it. For this time its 401 leads to no refresh, which would rotate the refresh token for nothing.
FUTILE_SECONDS = 3600.0


def reveal(access: str) -> None:
    """The default for `conceal`: outside of the service, no log has to hide a token."""


@dataclass
class TokenSource:
    """Access tokens by credential, for all requests of this process.

    endpoints: by the type of the variant. secret: the key of hashes. conceal: called with each token that is used, in
    the thread of the call that it is for. wait: sleeps between two looks at a renewal of another process.
    """

    endpoints: Mapping[str, TokenEndpoint]
    store: TokenStore
    secret: bytes = field(repr=False)
    conceal: Callable[[str], None] = reveal
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._kept: LRUCache[bytes, Kept] = LRUCache(MAX_KEPT)
        # When tokens were replaced after a refusal, until a call with the new one succeeds.
        self._doubtful: LRUCache[bytes, float] = LRUCache(MAX_KEPT)
        # When a call of a grant was refused although its token was new.
        self._futile: LRUCache[bytes, float] = LRUCache(MAX_KEPT)
        self._flights: SingleFlight[Kept] = SingleFlight()
        self._lock = threading.Lock()

    def get(self, credential: Credential, deadline: Deadline) -> str:
        """A token that is valid for longer than a call lasts, if the vendor gives one in time; else one that is still
        valid. Raises VendorError if there is none."""
        access = self._current(self._key(credential), credential, deadline).access
        self.conceal(access)
        return access

    def replace(self, credential: Credential, refused: str, deadline: Deadline, call: str = "") -> bool:
        """Whether there is another token in place of one that the vendor has refused, which may have been got for this
        call. Raises VendorError if that fails. `call` names the kind of call."""
        key = self._key(credential)
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept.access != refused and self.clock() < kept.expires_at:
                return True
            may_renew = self.clock() >= max(
                self._doubtful.get(key, -inf) + REFUSALS_SECONDS,
                self._futile.get(key + call.encode(), -inf) + FUTILE_SECONDS,
            )
        renewal = self._renewal(credential, deadline, refused)
        # Where it may not renew, another process may have stored a newer one.
        kept = self._share(key + sha256(refused.encode()).digest(), renewal) if may_renew else renewal.stored()
        if kept is None:
            return False
        with self._lock:
            self._kept[key] = kept
            if renewal.has_called:
                self._doubtful[key] = self.clock()
        return kept.access != refused

    def refused_again(self, credential: Credential, call: str) -> None:
        """Notes that a kind of call was refused with a new token as well."""
        if credential.granted is not None:
            with self._lock:
                self._futile[self._key(credential) + call.encode()] = self.clock()

    def stamped(self, credential: Credential, token: Token) -> Token:
        """The first token of a grant as it is to be stored: with the mark of the credential that it belongs to."""
        return replace(token, made_with=credential.parts_hash(self.secret).hex())

    def accepted(self, credential: Credential) -> None:
        """Notes that a call with the present token has succeeded."""
        if self._doubtful:
            with self._lock:
                self._doubtful.pop(self._key(credential), None)

    def _current(self, key: bytes, credential: Credential, deadline: Deadline) -> Kept:
        with self._lock:
            kept, now = self._kept.get(key), self.clock()
            if kept and now < kept.renew_at:
                return kept
            valid = kept if kept and now < kept.expires_at else None
            if valid:
                # Until this renewal has ended, other threads go on with the present token.
                valid.renew_at = valid.expires_at
        renewal = self._renewal(credential, deadline, valid=valid)
        kept = renewal.run() if valid else self._share(key, renewal)
        with self._lock:
            self._kept[key] = kept
        return kept

    def _share(self, key: bytes, renewal: Renewal) -> Kept:
        """The result of this renewal, or of an equal one in this process."""
        try:
            return self._flights.share(key, renewal.run, renewal.deadline)
        except TimeoutError:
            raise Timeout(renewal.endpoint.url) from None

    def _renewal(
        self, credential: Credential, deadline: Deadline, refused: str = "", valid: Kept | None = None
    ) -> Renewal:
        endpoint = self.endpoints[credential.variant.type if credential.variant else ""]
        row = credential.row.id if credential.row else credential.fingerprint(self.secret).hex()
        made_with = credential.parts_hash(self.secret).hex()
        kind = GrantRenewal if endpoint.threads else Renewal
        return kind(self.store, endpoint, credential, row, made_with, deadline, refused, valid, self.clock, self.wait)

    def _key(self, credential: Credential) -> bytes:
        """Of row and secrets, so that changed secrets have no token at first."""
        return credential.fingerprint(self.secret) + credential.parts_hash(self.secret)
