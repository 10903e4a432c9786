"""A token store in the memory of one process, for notebooks and tests."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from cachetools import LRUCache

from vendors.kit.tokens.store import Token

# Credentials whose token is remembered.
MAX_ROWS = 10_000


class MemoryTokenStore:
    """Tokens and leases until the process ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: LRUCache[str, tuple[Token, float]] = LRUCache(MAX_ROWS)
        self._leases: dict[str, tuple[str, float]] = {}
        self.lost_rows: set[str] = set()
        self._lock = threading.Lock()

    def read(self, row: str) -> Token | None:
        """The token that was written last, with the seconds that it has left."""
        with self._lock:
            stored = self._tokens.get(row)
        if stored is None:
            return None
        token, expires_at = stored
        return replace(token, seconds=expires_at - self._clock())

    def lease(self, row: str, holder: str, seconds: float) -> bool:
        """Takes the right to renew the token, unless another renewal has it."""
        with self._lock:
            now = self._clock()
            other, until = self._leases.get(row, ("", now))
            if other != holder and now < until:
                return False
            self._leases[row] = holder, now + seconds
            return True

    def write(self, row: str, holder: str, token: Token) -> bool:
        """Stores a renewed token and ends the lease, if the holder still has it."""
        with self._lock:
            if not self._end(row, holder):
                return False
            self._tokens[row] = token, self._clock() + token.seconds
            return True

    def release(self, row: str, holder: str) -> None:
        """Ends the lease without a token, if the holder still has it."""
        with self._lock:
            self._end(row, holder)

    def lost(self, row: str) -> None:
        """Notes that the owner of a grant has to give consent again."""
        self.lost_rows.add(row)

    def _end(self, row: str, holder: str) -> bool:
        """Whether the holder had the lease. An expired one is still the holder's until another takes it."""
        other, _ = self._leases.get(row, ("", 0.0))
        if other != holder:
            return False
        del self._leases[row]
        return True
