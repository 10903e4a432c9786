"""Parts of lists that were made of vendors' replies, so that from unchanged replies nothing is made twice."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from app.storage.id_table import Resources
from vendors.kit import Credential
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.reply_cache import ReplyRef

# About 100 bytes each.
MAX_IDS = 100_000
# What a part costs besides its ids, in ids.
OVERHEAD = 10


@dataclass(frozen=True, slots=True)
class VendorIds:
    """What one vendor gives to a list."""

    ids: list[str]
    sources: Sequence[ReplyRef]
    """All replies that it was made of; none if something was missing or old."""


class ListCache:
    """Safe for threads. A key names the credential by a keyed hash; nothing of it stands here."""

    def __init__(self, clouds: Mapping[str, Cloud], resources: Resources) -> None:
        self._clouds, self._resources = clouds, resources
        self._parts: LRUCache[Hashable, VendorIds] = LRUCache(MAX_IDS, getsizeof=lambda part: OVERHEAD + len(part.ids))
        self._lock = threading.Lock()

    def unchanged(self, credentials: Mapping[str, Credential], about: Hashable) -> dict[str, tuple[VendorIds, float]]:
        """By vendor the parts whose replies are all kept, fresh and not replaced, and whose ids have their rows; each
        with the seconds since its oldest reply was fetched."""
        found: dict[str, tuple[VendorIds, float]] = {}
        for name, credential in credentials.items():
            with self._lock:
                part = self._parts.get(self._key(name, credential, about))
            age = self._clouds[name].replies.age_of(part.sources) if part else None
            if part and age is not None and self._resources.knows(part.ids):
                found[name] = part, age
        return found

    def keep(self, vendor: str, credential: Credential, about: Hashable, part: VendorIds) -> None:
        """For the next time, if it was made of replies and of nothing else."""
        if part.sources and OVERHEAD + len(part.ids) <= MAX_IDS:
            with self._lock:
                self._parts[self._key(vendor, credential, about)] = part

    def _key(self, vendor: str, credential: Credential, about: Hashable) -> Hashable:
        return vendor, credential.fingerprint(self._clouds[vendor].secret), about
