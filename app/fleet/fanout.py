"""Sweeps of many vendor clouds, made concurrently under one deadline; what has arrived by then is the result."""

import contextvars
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from app.fleet import vendor_calls
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
# Concurrent sweeps of one vendor for one request, if it brings that many credentials. Fewer than a client may have in
# all (MAX_SWEEPS_PER_CREDENTIAL), so that its next request finds a slot as well.
MAX_LANES = 16
# At most LONG_WAITS requests per process may wait longer than SHORT_SECONDS; otherwise two hung vendors would occupy
# all 64 threads. Any further request returns the records that have arrived and names the vendors that are missing.
SHORT_SECONDS = 1.0
LONG_WAITS = threading.BoundedSemaphore(48)
BUSY_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SweepResult:
    """Records of a vendor's sweep with one credential, and the failure because of which others are missing."""

    vendor: str
    credential: Credential
    records: list[Keyed]
    failure: VendorError | None = None
    incomplete: str = ""
    """How much is missing, for people, e.g. " (incomplete: 12 of 14 sites)"."""
    age: float = 0.0
    """Seconds since the oldest reply that was reused."""
    sources: Sequence[ReplyRef] = ()
    """The replies that it was built from; none if a record is missing or a reply was stale."""

    def has(self, kind: type[Keyed]) -> bool:
        """Whether a record of this kind has arrived."""
        return any(isinstance(record, kind) for record in self.records)


def fan_out(
    clouds: Mapping[str, Cloud],
    credentials: Mapping[str, Sequence[Credential]],
    find: Find,
    deadline: Deadline,
    mode: Mode = Mode.REUSE,
) -> list[SweepResult]:
    """Results of `find` for every credential of every vendor, in their order; returns by the deadline."""
    groups = [VendorSweeps(clouds[name], owned, find, deadline, mode) for name, owned in credentials.items() if owned]
    all_ended = Latch(sum(group.lanes for group in groups))
    _start(groups, all_ended, deadline)
    _wait(all_ended, deadline)
    return [result for group in groups for result in group.results(gave_up_early=deadline.left() > 0)]


class Latch:
    """Opens when it has been counted down to 0, and wakes the thread that waits once, not once for each sweep."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock, self._open = threading.Lock(), threading.Event()
        if not count:
            self._open.set()

    def count_down(self, count: int = 1) -> None:
        """Counts lanes that have ended or will not start."""
        with self._lock:
            self._count -= count
            if not self._count:
                self._open.set()

    def wait(self, seconds: float) -> bool:
        """Whether it opens within so many seconds."""
        return self._open.wait(seconds)


class CredentialSweep:
    """The sweep of one vendor with one credential for one request."""

    def __init__(self, cloud: Cloud, credential: Credential, find: Find, deadline: Deadline, mode: Mode) -> None:
        self._cloud, self._credential, self._find = cloud, credential, find
        self._deadline, self._mode = deadline, mode
        self.sweep: Sweep | None = None
        """None until it has begun."""

    def run(self) -> None:
        """Makes the sweep."""
        self.sweep = self._open(self._mode)
        self.sweep.run(self._find)

    def result(self, not_begun: VendorError, *, gave_up_early: bool) -> SweepResult:
        """Records that have arrived; if it has not begun, the failure `not_begun` and records of cached replies.

        gave_up_early: whether time is left that this request may not wait for, because too many others do.
        """
        sweep = self.sweep
        if sweep is None and not self._cloud.has_cache:
            return SweepResult(self._cloud.name, self._credential, [], not_begun)
        if sweep is None:
            sweep = self._open(Mode.CACHED_ONLY)
            sweep.run(self._find)
            return self._result(sweep, not_begun)
        finished = sweep.finished  # Read first: a sweep that ends meanwhile may fail.
        failure = sweep.failure
        if not finished and not (failure and failure.stops_the_sweep):
            failure = not_finished(sweep.vendor.client.waits_for, gave_up_early)
        return self._result(sweep, failure)

    def _open(self, mode: Mode) -> Sweep:
        return Sweep(self._cloud.open(self._credential, self._deadline, mode))

    def _result(self, sweep: Sweep, failure: VendorError | None) -> SweepResult:
        progress = sweep.progress
        sources = () if failure or progress.is_stale else progress.reply_refs
        incomplete = sweep.incomplete if failure else ""
        return SweepResult(
            self._cloud.name, self._credential, sweep.records, failure, incomplete, progress.age, sources
        )


class VendorSweeps:
    """The sweeps of one vendor for one request, one for each credential.

    Up to MAX_LANES are made at a time. Each lane has a slot and a thread of the vendor, and takes the next credential
    when its sweep has ended.
    """

    def __init__(
        self, cloud: Cloud, credentials: Sequence[Credential], find: Find, deadline: Deadline, mode: Mode
    ) -> None:
        self._cloud, self._deadline = cloud, deadline
        self._sweeps = [CredentialSweep(cloud, credential, find, deadline, mode) for credential in credentials]
        self.lanes = min(len(self._sweeps), MAX_LANES)
        self._waiting = iter(self._sweeps)
        """Shared by the lanes: each takes the next sweep, which the interpreter hands out only once."""
        self._owner = _slot_owner(cloud, credentials[0])
        self._has_slot = False

    def start(self, seconds: float, all_ended: Latch) -> bool:
        """Starts the lanes for which there are slots, if the first is free within so many seconds."""
        if not self._start_lane(max(0.0, seconds), all_ended):
            return False
        self._has_slot = True
        for _ in range(self.lanes - 1):
            if not self._start_lane(0.0, all_ended):
                all_ended.count_down()
        return True

    def _start_lane(self, seconds: float, all_ended: Latch) -> bool:
        if not self._cloud.sweep_slots.acquire(self._owner, seconds):
            return False
        self._note_lane(1)
        try:
            self._cloud.sweep_threads.run(partial(contextvars.copy_context().run, self._run_lane, all_ended))
        except BaseException:  # For example when the system has no thread for it.
            self._cloud.sweep_slots.release(self._owner)
            self._note_lane(-1)
            raise
        return True

    def _run_lane(self, all_ended: Latch) -> None:
        try:
            for sweep in self._waiting:
                sweep.run()
                if self._deadline.left() <= 0:
                    break
        finally:
            # Released here and not at the end of the request, which the lane may outlive by a moment.
            self._cloud.sweep_slots.release(self._owner)
            self._note_lane(-1)
            all_ended.count_down()

    def _note_lane(self, by: int) -> None:
        """Notes the beginning or end of a lane in the count of the request's calls."""
        if calls := vendor_calls.current():
            calls.change_under_way(self._cloud.name, by)

    def results(self, *, gave_up_early: bool) -> list[SweepResult]:
        """The result of each credential, in their order."""
        if self._has_slot:
            not_begun = not_finished("", gave_up_early)
        else:
            not_begun = Busy(why=f"{self._cloud.name} is not answering others either", retry_after=BUSY_RETRY_SECONDS)
        return [sweep.result(not_begun, gave_up_early=gave_up_early) for sweep in self._sweeps]


def not_finished(url: str, gave_up_early: bool) -> VendorError:
    """The failure of a sweep that waits for `url`, or that has not begun."""
    if gave_up_early:
        return Busy(url, "too many requests wait for slow vendors", retry_after=BUSY_RETRY_SECONDS)
    return Timeout(url, "" if url else "no call was made in time")


def _slot_owner(cloud: Cloud, credential: Credential) -> Hashable:
    """All stored credentials of a client together have the slots of one credential."""
    return credential.fingerprint(cloud.secret) if credential.row is None else credential.row.client


def _start(groups: Iterable[VendorSweeps], all_ended: Latch, deadline: Deadline) -> None:
    """Starts what finds a slot: first the vendors that need not wait for it, then the rest, one after the other."""
    wait_until = time.monotonic() + SLOT_WAIT_SECONDS
    for group in [group for group in groups if not group.start(0.0, all_ended)]:
        if not group.start(min(wait_until - time.monotonic(), deadline.left()), all_ended):
            all_ended.count_down(group.lanes)


def _wait(all_ended: Latch, deadline: Deadline) -> None:
    """Waits until all sweeps have ended; for longer than SHORT_SECONDS only as one of LONG_WAITS."""
    if all_ended.wait(min(SHORT_SECONDS, deadline.left())) or not LONG_WAITS.acquire(blocking=False):
        return
    try:
        all_ended.wait(deadline.left())
    finally:
        LONG_WAITS.release()
