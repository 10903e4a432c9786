"""Pins each worker process to one CPU.

One thread of a process runs Python at a time. Spread over several CPUs, each thread would find the shared data in
another CPU's cache: a quarter more CPU and nearly twice the p99 for 64 clients (November 2026,
docs/performance.md). Only app.server.hooks uses this module.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterable

logger = logging.getLogger(__name__)


def choose(workers: int, taken: Iterable[int | None]) -> int | None:
    """Returns the least used CPU for the next of `workers` processes, or None to pin it to no CPU.

    taken: the CPUs of the running processes.
    Pins only if the processes can be spread evenly over all CPUs: on a machine with more CPUs, several services might
    choose the same CPUs and leave others idle.
    """
    if not hasattr(os, "sched_getaffinity"):  # macOS
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if workers % len(allowed):
        return None
    uses = Counter(taken)
    return min(allowed, key=lambda cpu: uses[cpu])


def pin(cpu: int | None) -> None:
    """Pins the calling thread, and the threads it starts from now on, if the system permits."""
    if cpu is None:
        return
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError as error:
        logger.warning("this process is pinned to no CPU: %s", error)
