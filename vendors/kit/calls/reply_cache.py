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

# Measured bytes in memory, texts not counted: of an entry with its key, and of each header.
OVERHEAD_BYTES = 850
HEADER_BYTES = 300
# A larger reply is not cached: it would evict hundreds of others.
MAX_CACHED_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CachedReply:
    """An entry of the cache."""

    reply: RawReply
    fetched_at: float
    """On the cache's clock."""
    size: int
    """Estimated bytes in memory."""
    serial: int
    """Unique number of the entry, by which a replaced entry is recognized."""


class ReplyRef(NamedTuple):
    """Reference to a cached reply by key and serial number, so that the cache may still evict the reply."""

    key: bytes
    serial: int
    fresh_seconds: float
    """Age up to which the reply may be reused."""


class FetchResult(NamedTuple):
    """Result of a fetch: the cached reply and the entry that it replaced."""

    cached: CachedReply
    previous: CachedReply | None
    parsed: Any = None
    """The reply's JSON if it has already been parsed."""
    only: Shape | None = None
    """The members to which `parsed` was reduced; None for all."""


class Freshness(StrEnum):
    """How soon a call's values change; `Vendor.fresh_seconds` says for each how long a reply is reused."""

    INVENTORY = "inventory"
    """Values that hardly change: sites, devices, nameplates."""
    CLOSED = "closed"
    """Series of a period that is over."""
    TODAY = "today"
    """Series of the current period, and values that change as slowly."""
    LIVE = "live"
    """Present power and state of charge."""
    UNCACHED = "uncached"
    """Calls whose purpose is to find out whether they succeed, or what holds, now: no reply is reused, and none of an
    equal call that began before."""


class Mode(Enum):
    """How cached replies are used."""

    REUSE = "reuse fresh replies"
    REFRESH = "reuse none: call again"
    CACHED_ONLY = "reuse replies of any age: make no call"


class ReplyCache:
    """A thread-safe LRU cache of at most `max_bytes`."""

    def __init__(self, max_bytes: int = 40 * 1024 * 1024, clock: Callable[[], float] = time.monotonic) -> None:
        self._largest_bytes = min(MAX_CACHED_BYTES, max_bytes)
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._entries: LRUCache[bytes, CachedReply] = LRUCache(max_bytes, getsizeof=lambda cached: cached.size)
        self._serials = count()
        self._lock = threading.Lock()

    def key(self, vendor: str, owner: bytes, request: Request) -> bytes:
        """The key of a call: a keyed hash of vendor, method, URL, body and the fingerprint of its credential."""
        texts = vendor, request.method, request.url
        # The lengths make ("ab", "c") differ from ("a", "bc"). All fingerprints are equally long.
        text = f"{len(vendor)} {len(request.method)} {len(request.url)} {''.join(texts)}".encode()
        text += owner + (request.body or b"")
        return blake2b(text, key=self._secret, digest_size=20).digest()

    def get(self, key: bytes, max_age: float) -> CachedReply | None:
        """The cached reply if it is at most `max_age` seconds old."""
        with self._lock:
            cached = self._entries.get(key)
            if cached is None or self._clock() - cached.fetched_at > max_age:
                return None
            return cached

    def age(self, cached: CachedReply) -> float:
        """Seconds since the reply was fetched."""
        return self._clock() - cached.fetched_at

    def age_of(self, refs: Iterable[ReplyRef]) -> float | None:
        """Seconds since the oldest of these replies was fetched; None if any was replaced or evicted, or is too old."""
        age = 0.0
        for key, serial, fresh_seconds in refs:
            cached = self.get(key, fresh_seconds)
            if cached is None or cached.serial != serial:
                return None
            age = max(age, self.age(cached))
        return age

    def put(self, key: bytes, reply: RawReply) -> tuple[CachedReply, CachedReply | None]:
        """Caches a reply, unless it is too large. Returns its entry, and the entry that it replaces."""
        cached = CachedReply(reply, self._clock(), _size(reply), next(self._serials))
        with self._lock:
            previous = self._entries.pop(key, None)
            if cached.size <= self._largest_bytes:
                self._entries[key] = cached
            return cached, previous

    def take_back(self, key: bytes, cached: CachedReply, previous: CachedReply | None) -> None:
        """Undoes the `put` of a reply that turned out to be unusable, unless a newer reply is cached."""
        with self._lock:
            if self._entries.get(key) is not cached:
                return
            del self._entries[key]
            if previous:
                self._entries[key] = previous

    @property
    def count(self) -> int:
        """The number of cached replies."""
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """Estimated bytes of all cached replies."""
        return int(self._entries.currsize)


def _size(reply: RawReply) -> int:
    # Twice the name, since CaseInsensitiveDict keeps it in lower case as well.
    headers = sum(HEADER_BYTES + 2 * len(name) + len(value) for name, value in reply.headers.items())
    return OVERHEAD_BYTES + len(reply.url) + len(reply.body) + headers
