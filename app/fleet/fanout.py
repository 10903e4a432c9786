"""One question to many vendor clouds at once, answered by the deadline with whatever came."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.web.log import note_failures
from vendors.kit import Busy, Cloud, Credential, Deadline, Keyed, Mode, Sweep, Timeout, Vendor, VendorError
from vendors.kit.calls.reply_cache import ReplyRef

Find = Callable[[Vendor], Iterable[Keyed]]

# When a vendor's places are all taken, a request waits so long for one before it says Busy. Long enough for
# the bursts of a healthy vendor, short enough not to hold request threads for one that hangs.
PLACE_WAIT_SECONDS = 1.0
# Longer than this a request waits only as one of so many of its process: two vendors that hang would otherwise hold all
# of its 64 threads. The others give what they have then, and say what is missing.
SHORT_SECONDS = 1.0
LONG_WAITS = threading.BoundedSemaphore(48)


@dataclass(frozen=True, slots=True)
class VendorResult:
    """What one vendor gave: its records, and the failure that left others out."""

    records: list[Keyed]
    failure: VendorError | None = None
    incomplete: str = ""
    age: float = 0.0
    """Seconds since the oldest reply that was reused."""
    sources: Sequence[ReplyRef] = ()
    """The replies that it was made of, if nothing is missing or old."""

    @property
    def error(self) -> str:
        """The text for `errors`."""
        return f"{self.failure}{self.incomplete}"


def fan_out(
    clouds: Mapping[str, Cloud],
    credentials: Mapping[str, Credential],
    find: Find,
    deadline: Deadline,
    mode: Mode = Mode.REUSE,
) -> dict[str, VendorResult]:
    """The outcome of `find` at every vendor for which there is a credential; returns by the deadline."""
    asked = {
        name: VendorSweep(clouds[name], credential, find, deadline, mode) for name, credential in credentials.items()
    }
    under_way = Latch(len(asked))
    patience = time.monotonic() + PLACE_WAIT_SECONDS
    # First everyone who can start at once, then those who have to wait for a place.
    waiting = [question for question in asked.values() if not question.start(0.0, under_way.ended)]
    for question in waiting:
        if not question.start(min(patience - time.monotonic(), deadline.left()), under_way.ended):
            under_way.ended()
    have_ended = under_way.wait(min(SHORT_SECONDS, deadline.left()))
    if not have_ended and LONG_WAITS.acquire(blocking=False):
        try:
            under_way.wait(deadline.left())
        finally:
            LONG_WAITS.release()
    outcomes = {name: question.outcome(gave_up_early=deadline.left() > 0) for name, question in asked.items()}
    if mode is not Mode.KEPT_ONLY:  # There a reply that was not kept is no failure of the vendor's.
        note_failures({name: outcome.failure.code for name, outcome in outcomes.items() if outcome.failure})
    return outcomes


class Latch:
    """How many sweeps have not ended."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._lock, self._all_ended = threading.Lock(), threading.Event()
        if not count:
            self._all_ended.set()

    def ended(self) -> None:
        """One of them has."""
        with self._lock:
            self._left -= 1
            if not self._left:
                self._all_ended.set()

    def wait(self, seconds: float) -> bool:
        """Whether all have ended within so many seconds."""
        return self._all_ended.wait(seconds)


class VendorSweep:
    """What one vendor is asked for one request."""

    def __init__(self, cloud: Cloud, credential: Credential, find: Find, deadline: Deadline, mode: Mode) -> None:
        self._cloud, self._credential, self._find = cloud, credential, find
        self._deadline, self._mode = deadline, mode
        self._owner = credential.fingerprint(cloud.secret)
        self.sweep: Sweep | None = None

    def start(self, seconds: float, ended: Callable[[], None]) -> bool:
        """Starts the sweep, if there is a place for it within so many seconds. `ended` learns of its end."""
        if not self._cloud.places.acquire(self._owner, max(0.0, seconds)):
            return False
        try:
            self.sweep = sweep = Sweep(self._cloud.open(self._credential, self._deadline, self._mode))
            context = contextvars.copy_context()

            def run() -> None:
                try:
                    context.run(sweep.run, self._find)
                finally:
                    # Here and not at the end of the request: a sweep may outlive it by a moment.
                    self._cloud.places.release(self._owner)
                    ended()

            self._cloud.sweeps.run(run)
        except BaseException:  # As when the system has no thread for it.
            self._cloud.places.release(self._owner)
            raise
        return True

    def outcome(self, *, gave_up_early: bool) -> VendorResult:
        """What came so far; without a place, what was kept of earlier answers.

        gave_up_early: whether there was time left, which this request could not be given.
        """
        if self.sweep is None:
            sweep = Sweep(self._cloud.open(self._credential, self._deadline, Mode.KEPT_ONLY))
            sweep.run(self._find)
            why = f"{self._cloud.name} is not answering others either"
            return VendorResult(sweep.records, Busy(why=why, retry_after=5.0), sweep.incomplete, sweep.progress.age)
        sweep, finished = self.sweep, self.sweep.finished
        failure = sweep.failure
        if not finished and not (failure and failure.stops_the_sweep):
            url = sweep.vendor.client.waits_for
            failure = Timeout(url, "" if url else "no call was made in time")
            if gave_up_early:
                failure = Busy(url, "too many requests wait for slow vendors", retry_after=5.0)
        progress = sweep.progress
        sources = () if failure or progress.is_stale else progress.sources
        return VendorResult(sweep.records, failure, sweep.incomplete if failure else "", progress.age, sources)
