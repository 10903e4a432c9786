"""Which worker process takes the next connection: the one that has the fewest.

Of a burst of connections the first process to wake would take nearly all. They mostly stay open, and a process has one
processor at the most: the others would then idle beside one that is late with everything.
"""

from __future__ import annotations

import mmap
import struct

SLOTS = 256
# As long as this a connection is left to others; then whoever sees it takes it, since they may be stuck.
COURTESY_SECONDS = 0.002
_COUNT = struct.Struct("i")
_NOBODY = -1
# Made before the first fork, so that all workers of a master see the same memory.
_open = mmap.mmap(-1, SLOTS * _COUNT.size)
_open.write(_COUNT.pack(_NOBODY) * SLOTS)


class Share:
    """The connections of one worker beside those of the others; `age` numbers the workers of a master."""

    def __init__(self, age: int) -> None:
        self._at = age % SLOTS * _COUNT.size
        self.tell(0)

    def tell(self, connections: int) -> None:
        """Says how many connections this worker has."""
        _COUNT.pack_into(_open, self._at, connections)

    def leave(self) -> None:
        """For a worker that has ended."""
        self.tell(_NOBODY)

    @property
    def is_above_others(self) -> bool:
        """Whether another worker has fewer connections than this one."""
        (mine,) = _COUNT.unpack_from(_open, self._at)
        return any(_NOBODY < count < mine for (count,) in _COUNT.iter_unpack(_open))
