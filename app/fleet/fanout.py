"""Sweeps of many vendor clouds, made concurrently under one deadline; what has arrived by then is the result."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from app.web.log import note_failures
from vendors.kit import Credential, Timeout, Vendor, VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.reply_cache import Mode, ReplyRef
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy
from vendors.kit.records import Keyed

Find = Callable[[Vendor], Iterable[Keyed]]

# If all slots of a vendor are taken, a request waits this long for one and then reports Busy. Long enough for the
# bursts of a healthy vendor, short enough not to occupy request threads for a vendor that hangs.
SLOT_WAIT_SECONDS = 1.0
# At most LONG_WAITS requests per process may wait longer than SHORT_SECONDS; otherwise two hung vendors would occupy
# all 64 threads. Any further request returns the records that have arrived and names the vendors that are missing.
SHORT_SECONDS = 1.0
LONG_WAITS = threading.BoundedSemaphore(48)
BUSY_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class VendorResult:
    """Records of one vendor's sweep, and the failure because of which others are missing."""

    records: list[Keyed]
    failure: VendorError | None = None
    incomplete: str = ""
    """How much is missing, for people, e.g. " (incomplete: 12 of 14 sites)"."""
    age: float = 0.0
    """Seconds since the oldest reply that was reused."""
    sources: Sequence[ReplyRef] = ()
    """The replies that it was built from; none if a record is missing or a reply was stale."""

    @property
    def error(self) -> str:
        """Text for the list's `errors`."""
        return f"{self.failure}{self.incomplete}"


def fan_out(
    clouds: Mapping[str, Cloud],
    credentials: Mapping[str, Credential],
    find: Find,
    deadline: Deadline,
    mode: Mode = Mode.REUSE,
) -> dict[str, VendorResult]:
    """Results of `find` by vendor, for every vendor with a credential; returns by the deadline."""
    sweeps = {
        name: VendorSweep(clouds[name], credential, find, deadline, mode) for name, credential in credentials.items()
    }
    all_ended = Latch(len(sweeps))
    _start(sweeps.values(), all_ended, deadline)
    _wait(all_ended, deadline)
    results = {name: sweep.result(gave_up_early=deadline.left() > 0) for name, sweep in sweeps.items()}
    if mode is not Mode.CACHED_ONLY:  # In that mode a reply that is not cached is no failure of the vendor.
        note_failures({name: result.failure.code for name, result in results.items() if result.failure})
    return results


class Latch:
    """Opens when it has been counted down to 0, and wakes the thread that waits once, not once for each sweep."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock, self._open = threading.Lock(), threading.Event()
        if not count:
            self._open.set()

    def count_down(self) -> None:
        """Counts one sweep that has ended or will not start."""
        with self._lock:
            self._count -= 1
            if not self._count:
                self._open.set()

    def wait(self, seconds: float) -> bool:
        """Whether it opens within so many seconds."""
        return self._open.wait(seconds)


class VendorSweep:
    """The sweep of one vendor for one request, in a thread of the vendor's pool once a slot is free."""

    def __init__(self, cloud: Cloud, credential: Credential, find: Find, deadline: Deadline, mode: Mode) -> None:
        self._cloud, self._credential, self._find = cloud, credential, find
        self._deadline, self._mode = deadline, mode
        self._owner = credential.fingerprint(cloud.secret)
        self.sweep: Sweep | None = None
        """None until a slot was free."""

    def start(self, seconds: float, on_end: Callable[[], None]) -> bool:
        """Starts the sweep if a slot is free within so many seconds; `on_end` is called when it has ended."""
        if not self._cloud.sweep_slots.acquire(self._owner, max(0.0, seconds)):
            return False
        try:
            self.sweep = Sweep(self._cloud.open(self._credential, self._deadline, self._mode))
            self._cloud.sweep_threads.run(partial(contextvars.copy_context().run, self._run, self.sweep, on_end))
        except BaseException:  # For example when the system has no thread for it.
            self._cloud.sweep_slots.release(self._owner)
            raise
        return True

    def _run(self, sweep: Sweep, on_end: Callable[[], None]) -> None:
        try:
            sweep.run(self._find)
        finally:
            # Released here and not at the end of the request, which the sweep may outlive by a moment.
            self._cloud.sweep_slots.release(self._owner)
            on_end()

    def result(self, *, gave_up_early: bool) -> VendorResult:
        """Records that have arrived; without a slot, records from cached replies if the vendor has any.

        gave_up_early: whether time is left that this request may not wait for, because too many others do.
        """
        if self.sweep is None:
            return self._without_slot()
        sweep, progress, failure = self.sweep, self.sweep.progress, self.sweep.failure
        has_stopped = sweep.finished or (failure is not None and failure.stops_the_sweep)
        if not has_stopped:
            failure = self._not_finished(sweep.vendor.client.waits_for, gave_up_early)
        if failure is None:
            sources = () if progress.is_stale else progress.reply_refs
            return VendorResult(sweep.records, age=progress.age, sources=sources)
        return VendorResult(sweep.records, failure, sweep.incomplete, progress.age)

    def _not_finished(self, url: str, gave_up_early: bool) -> VendorError:
        if gave_up_early:
            return Busy(url, "too many requests wait for slow vendors", retry_after=BUSY_RETRY_SECONDS)
        return Timeout(url, "" if url else "no call was made in time")

    def _without_slot(self) -> VendorResult:
        why = f"{self._cloud.name} is not answering others either"
        busy = Busy(why=why, retry_after=BUSY_RETRY_SECONDS)
        if not self._cloud.has_cache:
            return VendorResult([], busy)
        sweep = Sweep(self._cloud.open(self._credential, self._deadline, Mode.CACHED_ONLY))
        sweep.run(self._find)
        return VendorResult(sweep.records, busy, sweep.incomplete, sweep.progress.age)


def _start(sweeps: Iterable[VendorSweep], all_ended: Latch, deadline: Deadline) -> None:
    """Starts all sweeps that find a slot: first those that need not wait for it, then the rest, one after the other."""
    wait_until = time.monotonic() + SLOT_WAIT_SECONDS
    for sweep in [sweep for sweep in sweeps if not sweep.start(0.0, all_ended.count_down)]:
        if not sweep.start(min(wait_until - time.monotonic(), deadline.left()), all_ended.count_down):
            all_ended.count_down()


def _wait(all_ended: Latch, deadline: Deadline) -> None:
    """Waits until all sweeps have ended; for longer than SHORT_SECONDS only as one of LONG_WAITS."""
    if all_ended.wait(min(SHORT_SECONDS, deadline.left())) or not LONG_WAITS.acquire(blocking=False):
        return
    try:
        all_ended.wait(deadline.left())
    finally:
        LONG_WAITS.release()
