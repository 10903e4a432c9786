"""One question to many vendor clouds at once, answered by the deadline with whatever came."""

import contextvars
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass

from vendors.kit import Busy, Cloud, Credential, Deadline, Keyed, Mode, Sweep, Timeout, Vendor, VendorError

Find = Callable[[Vendor], Iterable[Keyed]]

# When a vendor's places are all taken, a request waits so long for one before it says Busy. Long enough for
# the bursts of a healthy vendor, short enough not to hold request threads for one that hangs.
PLACE_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one vendor gave: its records, and the failure that left others out."""

    records: list[Keyed]
    failure: VendorError | None = None
    incomplete: str = ""
    age: float = 0.0
    """Seconds since the oldest reply that was reused."""

    @property
    def error(self) -> str:
        """The text for `errors`."""
        return f"{self.failure}{self.incomplete}"


def ask(
    clouds: Mapping[str, Cloud],
    credentials: Mapping[str, Credential],
    find: Find,
    deadline: Deadline,
    mode: Mode = Mode.REUSE,
) -> dict[str, Outcome]:
    """The outcome of `find` at every vendor for which there is a credential; returns by the deadline."""
    sweeps: dict[str, Sweep] = {}
    futures: list[Future[None]] = []
    names = list(credentials)
    patience = time.monotonic() + PLACE_WAIT_SECONDS
    # First everyone who can start at once, then those who have to wait for a place.
    for waits in (False, True):
        for name in [name for name in names if name not in sweeps]:
            seconds = min(patience - time.monotonic(), deadline.left())
            if clouds[name].places.acquire(waits, max(0.0, seconds) if waits else None):
                sweep = sweeps[name] = Sweep(clouds[name].open(credentials[name], deadline, mode))
                futures.append(_start(clouds[name], sweep, find))
    wait(futures, deadline.left())
    return {name: _outcome(clouds[name], sweeps.get(name)) for name in names}


def _start(cloud: Cloud, sweep: Sweep, find: Find) -> "Future[None]":
    context = contextvars.copy_context()

    def run() -> None:
        try:
            context.run(sweep.run, find)
        finally:
            # Here and not at the end of the request: a sweep may outlive it by a moment.
            cloud.places.release()

    try:
        return cloud.sweeps.submit(run)
    except RuntimeError:  # The process is shutting down.
        cloud.places.release()
        raise


def _outcome(cloud: Cloud, sweep: Sweep | None) -> Outcome:
    if sweep is None:
        return Outcome([], Busy(why=f"{cloud.name} is not answering others either", retry_after=5.0))
    finished = sweep.finished
    failure = sweep.failure
    if not finished and not (failure and failure.stops_the_sweep):
        url = sweep.vendor.client.waits_for
        failure = Timeout(url, "" if url else "no call was made in time")
    return Outcome(sweep.records, failure, sweep.incomplete if failure else "", sweep.progress.age)
