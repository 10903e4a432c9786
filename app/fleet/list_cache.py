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
    """Ids that one vendor contributes to a list for one credential."""

    ids: list[str]
    sources: Sequence[ReplyRef]
    """All replies that they were built from; none if an id was missing or a reply was stale."""
    age: float = 0.0
    """Seconds since the oldest reply that was reused."""


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

    def unchanged(self, vendor: str, credential: Credential, subject: Hashable) -> VendorIds | None:
        """The entry, if its replies are all still cached and fresh and its ids are in the table; its age is the present
        one."""
        with self._lock:
            entry = self._entries.get(self._key(vendor, credential, subject))
        age = self._clouds[vendor].reply_cache.age_of(entry.sources) if entry else None
        if entry is None or age is None or not self._id_table.knows(entry.ids):
            return None
        return VendorIds(entry.ids, entry.sources, age)

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
