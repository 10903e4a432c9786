"""The folder in which the processes of a master keep their metrics, and the numbers that a worker adds to them.

It lies in the system's folder for temporary files (TMPDIR), which is in memory where the root filesystem is read-only.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from prometheus_client import values

PREFIX = "derapi-metrics-"
OWNER = "owner"
# A younger folder may belong to a master that has not locked it yet.
YOUNG_SECONDS = 60.0


@cache
def folder() -> Path:
    """The empty folder of this master, made at its start and removed at its end. Also removes the folders of masters
    that were killed."""
    try:
        created = Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as error:
        raise SystemExit(f"No temporary file can be written ({error}): set TMPDIR to a folder for them") from None
    # Open, and locked, as long as this process or a worker lives.
    owner = os.open(created / OWNER, os.O_CREAT | os.O_WRONLY, 0o600)
    fcntl.flock(owner, fcntl.LOCK_EX)
    atexit.register(_remove, created, os.getpid())
    for other in created.parent.glob(f"{PREFIX}*"):
        _remove_abandoned(other)
    return created


@cache
def keep_values_in_files() -> None:
    """Makes metrics that are created from now on keep their values in files. prometheus_client has decided against it
    when it was imported, before there was a folder."""
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def _remove(created: Path, master: int) -> None:
    """Removes the folder, unless this is the end of a worker, which has inherited the call."""
    if os.getpid() == master:
        shutil.rmtree(created, ignore_errors=True)


def _remove_abandoned(other: Path) -> None:
    try:
        if time.time() - other.stat().st_mtime < YOUNG_SECONDS:
            return
        with (other / OWNER).open("r+") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(other, ignore_errors=True)
    except OSError:  # It is in use, or another user's.
        return


def share(worker: Any, services: Any) -> None:
    """Makes a worker of either class count and show its state together with the others."""
    worker.count_refusal = services.metrics.count_refusal
    threads = worker.tpool
    readings: dict[str, Callable[[], float]] = {
        "derapi_request_threads": lambda: worker.cfg.threads,
        "derapi_request_threads_in_use": lambda: len(threads._threads) - threads._idle_semaphore._value,
        "derapi_requests_waiting": threads._work_queue.qsize,
        "derapi_connections": lambda: worker.nr_conns,
    }
    services.metrics.share(folder(), readings)


def worker_ended(server: Any, worker: Any, services: Any) -> None:
    """Keeps the counts of a worker that has ended, and counts its end if that was not ordered, in the master."""
    services.metrics.process_ended(folder(), worker.pid)
    # Before a reload ends workers it starts as many, and a stop first closes the listening sockets.
    if server.LISTENERS and len(server.WORKERS) < server.num_workers:
        services.metrics.count_death()
