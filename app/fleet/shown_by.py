"""Remembers which of a client's stored credentials last showed a site or device, so that reads ask it first."""

import threading
from collections.abc import Iterable, Sequence

from cachetools import LRUCache

from vendors.kit import Credential

# About 300 bytes each. Ids of vendors that a request reaches with a single credential are not remembered.
MAX_IDS = 50_000


class ShownBy:
    """Thread-safe, in bounded memory. What it has forgotten costs calls, and changes no answer."""

    def __init__(self, most: int = MAX_IDS) -> None:
        self._rows: LRUCache[tuple[str, str], str] = LRUCache(most)
        self._lock = threading.Lock()

    def remember(self, ids: Iterable[str], credential: Credential) -> None:
        """Notes that a stored credential has shown these ids. For each client apart: others may see them as well."""
        if credential.row is None:
            return
        client, row = credential.row.client, credential.row.id
        with self._lock:
            for id in ids:
                self._rows[client, id] = row

    def last(self, id: str, credentials: Sequence[Credential]) -> Credential | None:
        """The credential that last showed the id, if it is one of several and is remembered."""
        rows = {credential.row.id: credential for credential in credentials if credential.row}
        if len(rows) < 2:
            return None
        client = next(credential.row.client for credential in credentials if credential.row)
        with self._lock:
            return rows.get(self._rows.get((client, id), ""))
