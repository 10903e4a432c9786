"""The cache of successful vendor replies, in bounded memory.

It holds one reply for each credential and call, under a keyed hash: no key contains a credential or URL, and equal
calls with two credentials never share a reply. The caller says how old a reply may be, so that one reply can serve
calls of different freshness.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum
from hashlib import blake2b
from itertools import count
from typing import Any, NamedTuple

from cachetools import LRUCache

from vendors.kit.messages import RawReply, Request
from vendors.kit.parsing.projection import Shape

# Bytes of a cached reply besides its texts, measured: the entry with its key, and each header with its place in a dict
# that finds it by its name in lower case.
OVERHEAD = 850
HEADER = 300
# A larger reply is not cached: it would evict hundreds of others.
MAX_KEPT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CachedReply:
    reply: RawReply
    at: float
    """When it was fetched, on the cache's clock."""
    size: int
    """Estimated bytes in memory."""
    serial: int
    """Unique number, in the order of caching."""


class ReplyRef(NamedTuple):
    """A reference to a reply by its serial number, which does not keep it in memory, and how old it may be."""

    key: bytes
    serial: int
    fresh: float


class FetchResult(NamedTuple):
    """Result of a fetch: the cached reply, the entry it replaced, and its JSON if already parsed, projected to
    `only`."""

    kept: CachedReply
    previous: CachedReply | None
    parsed: Any = None
    only: Shape | None = None


class Freshness(StrEnum):
    """Kind of a call: how long its reply stays true, and so may be reused (`Vendor.fresh_seconds`)."""

    INVENTORY = "inventory"
    """What hardly changes: sites, devices, nameplates."""
    CLOSED = "closed"
    """Series of a time that is over."""
    TODAY = "today"
    """Series of a time that goes on, and values that change as slowly."""
    LIVE = "live"
    """Present power and state of charge."""
    UNCACHED = "uncached"
    """A call that is made to see whether it succeeds now."""


class Mode(Enum):
    """How cached replies are used."""

    REUSE = "reuse fresh replies"
    REFRESH = "reuse none: call again"
    CACHED_ONLY = "reuse replies of any age: make no call"


class Replies:
    """A thread-safe LRU cache of at most `max_bytes`."""

    def __init__(self, max_bytes: int = 40 * 1024 * 1024, clock: Callable[[], float] = time.monotonic) -> None:
        self._largest = min(MAX_KEPT, max_bytes)
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._kept: LRUCache[bytes, CachedReply] = LRUCache(max_bytes, getsizeof=lambda cached: cached.size)
        self._serials = count()
        self._lock = threading.Lock()

    def key(self, vendor: str, owner: bytes, request: Request) -> bytes:
        """The key of a call: a keyed hash of vendor, method, URL, body and the fingerprint of its credential."""
        texts = vendor, request.method, request.url
        # The lengths keep ("ab", "c") apart from ("a", "bc"); all fingerprints have the same.
        text = f"{len(vendor)} {len(request.method)} {len(request.url)} {''.join(texts)}".encode()
        text += owner + (request.body or b"")
        return blake2b(text, key=self._secret, digest_size=20).digest()

    def get(self, key: bytes, max_age: float) -> CachedReply | None:
        """The cached reply if it is at most `max_age` seconds old."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or self._clock() - kept.at > max_age:
                return None
            return kept

    def age(self, kept: CachedReply) -> float:
        """Seconds since it was fetched."""
        return self._clock() - kept.at

    def age_of(self, sources: Iterable[ReplyRef]) -> float | None:
        """Seconds since the oldest of these replies was fetched; None unless a call would still get each of them."""
        age = 0.0
        for key, serial, fresh in sources:
            kept = self.get(key, fresh)
            if kept is None or kept.serial != serial:
                return None
            age = max(age, self.age(kept))
        return age

    def put(self, key: bytes, reply: RawReply) -> tuple[CachedReply, CachedReply | None]:
        """Caches a reply, unless it is too large. Returns its entry and the one that it replaces."""
        kept = CachedReply(reply, self._clock(), _size(reply), next(self._serials))
        with self._lock:
            previous = self._kept.pop(key, None)
            if kept.size <= self._largest:
                self._kept[key] = kept
            return kept, previous

    def take_back(self, key: bytes, kept: CachedReply, previous: CachedReply | None) -> None:
        """Undoes the `put` of a reply that turned out to be unusable, unless a newer one is there."""
        with self._lock:
            if self._kept.get(key) is not kept:
                return
            del self._kept[key]
            if previous:
                self._kept[key] = previous

    @property
    def bytes(self) -> int:
        """Bytes that the cached replies hold, nearly."""
        return int(self._kept.currsize)


def _size(reply: RawReply) -> int:
    headers = sum(HEADER + 2 * len(name) + len(value) for name, value in reply.headers.items())
    return OVERHEAD + len(reply.url) + len(reply.body) + headers
