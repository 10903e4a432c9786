"""Successful replies of vendor clouds, kept for reuse in bounded memory.

One reply is kept per credential and call, under a keyed hash: neither credentials nor URLs stand in it, and
equal calls of two credentials never meet. Whether a reply is still fresh is for the caller to say, so one
reply can serve purposes of different patience.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from itertools import count
from typing import Any, NamedTuple

from cachetools import LRUCache

from vendors.kit.http.adapter import RawReply, Request
from vendors.kit.parsing.projection import Shape

# What a kept reply costs besides its texts, measured: the entry with its key in the cache's three dicts, and each
# header with its place in a dict that finds it by its name in lower case.
OVERHEAD = 880
HEADER = 300
# A larger reply is not kept: it would take the place of hundreds of others.
MAX_KEPT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    reply: RawReply
    at: float
    """When it was fetched, on the clock of the store."""
    size: int
    """Bytes that it holds, nearly."""
    serial: int
    """Which one it is, of all that were ever kept."""


class Source(NamedTuple):
    """A reply that something was made of, by its number lest it be kept for longer, and how old it may be for that."""

    key: bytes
    serial: int
    fresh: float


class Landed(NamedTuple):
    """Result of a fetch: the cached reply, the entry it replaced, and its JSON if already parsed, or the part that its
    caller reads (`only`)."""

    kept: Kept
    previous: Kept | None
    parsed: Any = None
    only: Shape | None = None


class Mode(Enum):
    """How replies that were kept are used."""

    REUSE = "while they are fresh"
    REFRESH = "not at all: ask again"
    KEPT_ONLY = "only they: make no call"


class Replies:
    """The store: at most `max_bytes`; the least recently used replies go first. Safe for threads."""

    def __init__(self, max_bytes: int = 40 * 1024 * 1024, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._kept: LRUCache[bytes, Kept] = LRUCache(max_bytes, getsizeof=lambda kept: kept.size)
        self._serials = count()
        self._lock = threading.Lock()

    def key(self, vendor: str, owner: bytes, request: Request) -> bytes:
        """Where the reply to this call lies: a hash over vendor, method, URL, body and a credential's fingerprint."""
        texts = vendor, request.method, request.url
        # The lengths keep ("ab", "c") apart from ("a", "bc"); all fingerprints have the same.
        told = f"{len(vendor)} {len(request.method)} {len(request.url)} {''.join(texts)}".encode()
        told += owner + (request.body or b"")
        return blake2b(told, key=self._secret, digest_size=20).digest()

    def get(self, key: bytes, max_age: float) -> Kept | None:
        """The kept reply if it is at most `max_age` seconds old."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or self._clock() - kept.at > max_age:
                return None
            return kept

    def age(self, kept: Kept) -> float:
        """Seconds since it was fetched."""
        return self._clock() - kept.at

    def age_of(self, sources: Iterable[Source]) -> float | None:
        """Seconds since the first of these was fetched; None unless a call would still get every one of them."""
        age = 0.0
        for key, serial, fresh in sources:
            kept = self.get(key, fresh)
            if kept is None or kept.serial != serial:
                return None
            age = max(age, self.age(kept))
        return age

    def put(self, key: bytes, reply: RawReply) -> tuple[Kept, Kept | None]:
        """Keeps a reply; gives it as it is kept, unless it is too large, and the one that it replaces."""
        kept = Kept(reply, self._clock(), _size(reply), next(self._serials))
        with self._lock:
            previous = self._kept.pop(key, None)
            if kept.size <= min(MAX_KEPT, self._kept.maxsize):
                self._kept[key] = kept
        return kept, previous

    def take_back(self, key: bytes, kept: Kept, previous: Kept | None) -> None:
        """Undoes the `put` of a reply that turned out to be unusable, unless a newer one is there."""
        with self._lock:
            if self._kept.get(key) is not kept:
                return
            del self._kept[key]
            if previous:
                self._kept[key] = previous

    @property
    def bytes(self) -> int:
        return int(self._kept.currsize)


def _size(reply: RawReply) -> int:
    headers = sum(HEADER + 2 * len(name) + len(value) for name, value in reply.headers.items())
    return OVERHEAD + len(reply.url) + len(reply.body) + headers
