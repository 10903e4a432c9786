"""Caches the ids each vendor contributed to a list, for as long as the replies they were built from stay cached.

Without it, repeated lists of 60 inverters take 2.4 times the CPU, and of 6,000 inverters 13 times (November 2026,
docs/performance.md).
"""

import threading
from collections.abc import Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from app.storage.id_table import IdTable
from vendors.kit import Credential
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.reply_cache import ReplyRef

# About 100 bytes each.
MAX_IDS = 100_000
# Cost of an entry without its ids, in ids.
OVERHEAD = 10


@dataclass(frozen=True, slots=True)
class VendorIds:
    """Ids that one vendor contributes to a list."""

    ids: list[str]
    sources: Sequence[ReplyRef]
    """All replies that they were built from; none if an id was missing or a reply was stale."""


class ListCache:
    """Thread-safe. Keys hold a keyed hash of the credential and nothing else of it.

    entries: where they are stored, by default a bounded LRU cache. subject: kind and filters of the list.
    """

    def __init__(
        self,
        clouds: Mapping[str, Cloud],
        id_table: IdTable,
        entries: MutableMapping[Hashable, VendorIds] | None = None,
    ) -> None:
        self._clouds, self._id_table = clouds, id_table
        self._entries = LRUCache(MAX_IDS, getsizeof=_size) if entries is None else entries
        self._lock = threading.Lock()

    def unchanged(self, credentials: Mapping[str, Credential], subject: Hashable) -> dict[str, tuple[VendorIds, float]]:
        """Entries by vendor whose replies are all still cached and fresh and whose ids are in the table; each with the
        seconds since its oldest reply was fetched."""
        unchanged: dict[str, tuple[VendorIds, float]] = {}
        for name, credential in credentials.items():
            with self._lock:
                entry = self._entries.get(self._key(name, credential, subject))
            age = self._clouds[name].reply_cache.age_of(entry.sources) if entry else None
            if entry and age is not None and self._id_table.knows(entry.ids):
                unchanged[name] = entry, age
        return unchanged

    def keep(self, vendor: str, credential: Credential, subject: Hashable, entry: VendorIds) -> None:
        """Caches the entry, if it was built from replies and from nothing else."""
        if entry.sources and _size(entry) <= MAX_IDS:
            with self._lock:
                self._entries[self._key(vendor, credential, subject)] = entry

    def _key(self, vendor: str, credential: Credential, subject: Hashable) -> Hashable:
        return vendor, credential.fingerprint(self._clouds[vendor].secret), subject


def _size(entry: VendorIds) -> int:
    """The cost of an entry, in ids."""
    return OVERHEAD + len(entry.ids)
