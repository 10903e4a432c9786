"""Distributes connections evenly: a worker process leaves a new connection to a process that has fewer.

The first process to wake would otherwise take nearly all connections of a burst. They mostly stay open, and a process
runs Python on one CPU, so that process would be late with every response while the others are idle. Then 64 clients
get little more than half of the responses, at twice the p99 (November 2026, docs/performance.md).
"""

import mmap
import struct

SLOTS = 256
COUNT = struct.Struct("i")
NO_WORKER = -1
# A count for each worker, at its age (gunicorn's serial number of workers). Mapped before the first fork, so that all
# workers of a master share the memory.
counts = mmap.mmap(-1, SLOTS * COUNT.size)
counts.write(COUNT.pack(NO_WORKER) * SLOTS)


def publish(age: int, connections: int) -> None:
    """Makes a worker's number of connections known to all workers."""
    COUNT.pack_into(counts, age % SLOTS * COUNT.size, connections)


def withdraw(age: int) -> None:
    """Removes a worker that stops or has ended."""
    publish(age, NO_WORKER)


def another_has_fewer(connections: int) -> bool:
    """Whether any worker has fewer connections than this."""
    return any(NO_WORKER < count < connections for (count,) in COUNT.iter_unpack(counts))
