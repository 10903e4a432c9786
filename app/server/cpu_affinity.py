"""Which processor a worker process keeps to.

One thread of a process runs Python at a time. Were they spread over the processors, each of them would find the data
that all of them use in another one's cache: it costs a third of the throughput.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable

log = logging.getLogger(__name__)


def choose(workers: int, taken: Iterable[int | None]) -> int | None:
    """The processor for one more of so many workers, beside those that the others have; None: any.

    Only where the workers can be shared out evenly among all processors: on a machine with more of them several
    services might choose the same ones, and leave the others idle.
    """
    if not hasattr(os, "sched_getaffinity"):  # Not on macOS.
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if workers % len(allowed):
        return None
    used = Counter(taken)
    return min(allowed, key=lambda processor: used[processor])


def keep_to(processor: int | None) -> None:
    """For the threads that this one starts from now on, and itself; if the system lets us."""
    if processor is None:
        return
    try:
        os.sched_setaffinity(0, {processor})
    except OSError as error:
        log.warning("this process keeps to no processor: %s", error)
