"""Finds ids whose row is lost, by asking the vendors again, and not more often than they can bear."""

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

# An id that nobody knows makes us ask all its caller's vendors. Within this time another one is looked for in the
# replies that were kept of that.
PATIENCE_SECONDS = 60.0
# A vendor that failed may be well again soon.
PATIENCE_AFTER_FAILURE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LastSearch:
    """A credential's last sweep: what it failed with, and until when no other is made."""

    failure: VendorError | None
    until: float


class LostIdSearch:
    def __init__(self, clouds: Mapping[str, Cloud], clock: Callable[[], float] = time.monotonic) -> None:
        self._clouds, self._clock = clouds, clock
        self._marks: LRUCache[tuple[str, str, bytes], LastSearch] = LRUCache(10_000)
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()

    def sweep(self, what: str, find: Find, access: VendorAccess, deadline: Deadline) -> dict[str, VendorResult]:
        """What each vendor lists. `what` names the question, so that one about sites does not stand for devices."""
        names = {name: (name, what, found.fingerprint(self._key)) for name, found in access.credentials.items()}
        marks = {name: mark for name in names if (mark := self._mark(names[name]))}
        kept = self._ask(access, set(marks), find, deadline, Mode.CACHED_ONLY)
        asked = self._ask(access, set(names) - set(marks), find, deadline, Mode.REUSE)
        for name, outcome in asked.items():
            patience = PATIENCE_AFTER_FAILURE_SECONDS if outcome.failure else PATIENCE_SECONDS
            with self._lock:
                self._marks[names[name]] = LastSearch(outcome.failure, self._clock() + patience)
        return asked | {name: VendorResult(outcome.records, marks[name].failure) for name, outcome in kept.items()}

    def _mark(self, name: tuple[str, str, bytes]) -> LastSearch | None:
        with self._lock:
            mark = self._marks.get(name)
        return mark if mark and mark.until > self._clock() else None

    def _ask(
        self, access: VendorAccess, names: set[str], find: Find, deadline: Deadline, mode: Mode
    ) -> dict[str, VendorResult]:
        credentials = {name: found for name, found in access.credentials.items() if name in names}
        return fanout.fan_out(self._clouds, credentials, find, deadline, mode) if credentials else {}
