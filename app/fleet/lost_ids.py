"""Searches the vendors for ids that are missing in the id table, at a bounded rate per credential."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cachetools import LRUCache

from app.fleet import fanout
from app.fleet.fanout import Find, SweepResult
from app.fleet.vendor_access import VendorAccess
from vendors.kit import Credential, VendorError
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

    def sweep(self, subject: str, find: Find, access: VendorAccess, deadline: Deadline) -> list[SweepResult]:
        """Results of `find`, from the cache alone for credentials with which it was searched a short time ago.

        subject: what is searched, sites or devices. Each has its own pauses, since they are in different lists.
        """
        recent: dict[Credential, LastSearch] = {}
        for vendor, credentials in access.credentials.items():
            for credential in credentials:
                if search := self._recent_search(self._key_of(vendor, subject, credential)):
                    recent[credential] = search
        from_cache = self._fan_out(access, recent.__contains__, find, deadline, Mode.CACHED_ONLY)
        searched = self._fan_out(access, lambda credential: credential not in recent, find, deadline, Mode.REUSE)
        for result in searched:
            pause = PAUSE_AFTER_FAILURE_SECONDS if result.failure else SEARCH_PAUSE_SECONDS
            with self._lock:
                key = self._key_of(result.vendor, subject, result.credential)
                self._searches[key] = LastSearch(result.failure, self._clock() + pause)
        # If the last search failed, the id may exist all the same: its failure is reported again.
        repeated = [replace(result, failure=recent[result.credential].failure, incomplete="") for result in from_cache]
        return searched + repeated

    def _key_of(self, vendor: str, subject: str, credential: Credential) -> tuple[str, str, bytes]:
        return vendor, subject, credential.fingerprint(self._key)

    def _recent_search(self, key: tuple[str, str, bytes]) -> LastSearch | None:
        with self._lock:
            search = self._searches.get(key)
        return search if search and search.until > self._clock() else None

    def _fan_out(
        self, access: VendorAccess, take: Callable[[Credential], bool], find: Find, deadline: Deadline, mode: Mode
    ) -> list[SweepResult]:
        """The sweeps with those credentials that `take` accepts."""
        credentials = {vendor: list(filter(take, owned)) for vendor, owned in access.credentials.items()}
        return fanout.fan_out(self._clouds, credentials, find, deadline, mode)
