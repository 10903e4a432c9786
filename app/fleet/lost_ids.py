"""Searches the vendors for ids that are missing in the id table, at a bounded rate per credential."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from app.fleet import fanout
from app.fleet.fanout import Find, VendorResult
from app.fleet.vendor_access import VendorAccess
from vendors.kit import VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.deadline import Deadline

# An unknown id makes the service list all vendors of its caller. Within this time after such a search the next unknown
# id is looked for in cached replies only, so that made-up ids cannot spend a vendor's quota.
SEARCH_PAUSE_SECONDS = 60.0
# Shorter, since a vendor that failed may work again soon.
PAUSE_AFTER_FAILURE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LastSearch:
    """Last search with one credential: its failure, and until when only cached replies are searched."""

    failure: VendorError | None
    until: float


class LostIdSearch:
    def __init__(self, clouds: Mapping[str, Cloud], clock: Callable[[], float] = time.monotonic) -> None:
        self._clouds, self._clock = clouds, clock
        self._searches: LRUCache[tuple[str, str, bytes], LastSearch] = LRUCache(10_000)
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()

    def sweep(self, subject: str, find: Find, access: VendorAccess, deadline: Deadline) -> dict[str, VendorResult]:
        """Results of `find` by vendor, from the cache alone for vendors that were searched a short time ago.

        subject: what is searched, sites or devices. Each has its own pauses, since they are in different lists.
        """
        keys = {
            name: (name, subject, credential.fingerprint(self._key)) for name, credential in access.credentials.items()
        }
        recent = {name: search for name in keys if (search := self._recent_search(keys[name]))}
        from_cache = self._fan_out(access, set(recent), find, deadline, Mode.CACHED_ONLY)
        searched = self._fan_out(access, set(keys) - set(recent), find, deadline, Mode.REUSE)
        for name, result in searched.items():
            pause = PAUSE_AFTER_FAILURE_SECONDS if result.failure else SEARCH_PAUSE_SECONDS
            with self._lock:
                self._searches[keys[name]] = LastSearch(result.failure, self._clock() + pause)
        # If the last search failed, the id may exist all the same: its failure is reported again.
        repeated = {name: VendorResult(result.records, recent[name].failure) for name, result in from_cache.items()}
        return searched | repeated

    def _recent_search(self, key: tuple[str, str, bytes]) -> LastSearch | None:
        with self._lock:
            search = self._searches.get(key)
        return search if search and search.until > self._clock() else None

    def _fan_out(
        self, access: VendorAccess, names: set[str], find: Find, deadline: Deadline, mode: Mode
    ) -> dict[str, VendorResult]:
        credentials = {name: credential for name, credential in access.credentials.items() if name in names}
        return fanout.fan_out(self._clouds, credentials, find, deadline, mode) if credentials else {}
