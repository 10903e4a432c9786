"""The logic behind gunicorn.conf.py: settings, the choice of the worker, and the tuning of the process."""

import contextlib
import ctypes
import gc
import math
import resource

from app.config import Settings, SettingsError, load
from app.server import compatibility

# Parameters of glibc's mallopt.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
MMAP_BYTES = 1 << 18
MALLOC_OPTIONS = ((M_ARENA_MAX, 2), (M_MMAP_THRESHOLD, MMAP_BYTES), (M_TRIM_THRESHOLD, MMAP_BYTES))
# Open files where the system sets no limit.
MAX_OPEN_FILES = 16384
# A stop waits at least this long for requests in flight, and longer if REQUEST_DEADLINE is; then this much for the way
# of their responses.
LEAST_GRACE_SECONDS, DELIVERY_SECONDS = 20, 3
# Objects allocated between two garbage collections: more than the requests in flight hold, so that their data are not
# traversed again and again.
GC_THRESHOLD = 50_000


def load_settings() -> Settings:
    """Returns the settings, or ends the process with one line for each wrong one."""
    try:
        return load()
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def worker_class(worker: str) -> str:
    """Returns gunicorn's name of the worker class for the setting WORKER. Ends the process if it cannot run."""
    if worker == "gthread":
        return worker
    compatibility.require()
    return "app.server.worker.Worker"


def graceful_seconds(settings: Settings) -> int:
    """Returns how long a stop waits, after the drain, for the requests in flight."""
    return max(LEAST_GRACE_SECONDS, math.ceil(settings.request_deadline)) + DELIVERY_SECONDS


def tune_malloc() -> None:
    """Makes threads share two malloc arenas, and large blocks return to the system. Before the fork, for all processes.

    glibc would give nearly every thread a separate arena, and keep there the memory that long lists have freed. Threads
    of Python take turns, so that they do not compete for an arena. Without this, lists of 60,000 inverters take 105 MB
    more (November 2026, docs/performance.md).
    """
    with contextlib.suppress(AttributeError, OSError):  # Another C library has no mallopt.
        for option, value in MALLOC_OPTIONS:
            ctypes.CDLL(None).mallopt(option, value)


def raise_open_files_limit() -> int:
    """Raises the limit on open files as far as the system permits, and returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_files = hard if hard != resource.RLIM_INFINITY else max(soft, MAX_OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, hard))
    return open_files


def tune_garbage_collection() -> None:
    """Exempts the loaded modules from garbage collection, and makes it rarer: it stops all threads.

    Without this the p99 of lists of 60,000 inverters is a fifth longer (November 2026, docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
