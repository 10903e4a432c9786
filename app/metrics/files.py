"""The files in which the processes of a service keep their counts: reads them together, and folds those of a process
that has ended into one file, so that their number does not grow with each."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

LOCK = "lock"
# A reader holds the lock for some milliseconds.
LOCK_SECONDS = 0.5
# Kinds of metrics whose counts outlive a process. The values of gauges end with it.
LASTING = ("counter", "histogram")


def text(folder: Path) -> bytes:
    """The metrics of all processes in Prometheus's text format."""
    # This part of prometheus_client has no types.
    registry = CollectorRegistry()
    with _locked(folder, fcntl.LOCK_SH):
        MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def fold(folder: Path, pid: int) -> None:
    """Removes the gauges of a process that has ended, and adds its counts to those of the ones before.

    While a reader holds the lock for too long, the counts stay where they are; they are part of the sum there as well.
    """
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
    with _locked(folder, fcntl.LOCK_EX) as is_locked:
        for kind in LASTING if is_locked else ():
            ended = folder / f"{kind}_{pid}.db"
            if ended.exists():
                try:
                    _add(ended, folder / f"{kind}_ended.db")
                finally:
                    ended.unlink()  # Also if it is damaged: it would fail every reader.


def _add(source: Path, target: Path) -> None:
    # Read wholly before any is added, since a damaged file shows that only in the middle.
    counts = list(MmapedDict.read_all_values_from_file(str(source)))  # type: ignore[no-untyped-call]
    total = MmapedDict(str(target))  # type: ignore[no-untyped-call]
    try:
        for key, count, _, _ in counts:
            total.write_value(key, total.read_value(key)[0] + count, 0.0)  # type: ignore[no-untyped-call]
    finally:
        total.close()  # type: ignore[no-untyped-call]


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[bool]:
    """Takes the lock, so that no count is read twice while it moves; whether that succeeded within LOCK_SECONDS."""
    ends = time.monotonic() + LOCK_SECONDS
    with (folder / LOCK).open("w") as file:
        is_locked = False
        while not is_locked and time.monotonic() < ends:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                is_locked = True
            except BlockingIOError:
                time.sleep(0.01)  # flock has no timeout
        yield is_locked
