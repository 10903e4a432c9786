"""Phase of the service, shared by its processes: /ready reports it, and the server sets it."""

import enum
import mmap


class Phase(enum.IntEnum):
    """`DRAINING`: a stop was ordered, and the service serves on for DRAIN_SECONDS. `STOPPING`: it accepts no more."""

    SERVING = 0
    DRAINING = 1
    STOPPING = 2


# A byte that is mapped before the fork, so that the master and its workers share it. A new master (USR2) has its own.
shared = mmap.mmap(-1, 1)


def phase() -> Phase:
    """The current phase."""
    return Phase(shared[0])


def enter(phase: Phase) -> None:
    """Begins a phase, for all processes of the service."""
    shared[0] = phase
