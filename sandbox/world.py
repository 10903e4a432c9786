"""What the dialects share: one fleet, a clock for its data, and the faults, quotas and counts of each vendor."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.quotas import Quotas
from simulation import Fleet

if TYPE_CHECKING:
    from sandbox.dialect import Dialect


class World:
    """The state of one sandbox. `stopped` is set when its server ends."""

    def __init__(self, fleet: Fleet, real_time: Callable[[], float], ticks: Callable[[], float]) -> None:
        self.fleet = fleet
        self.real_time = real_time
        self.clock = Clock(real_time)
        self.faults = Faults()
        self.quotas = Quotas(ticks)
        self.calls = Calls()
        self.stopped = threading.Event()
        self.dialects: dict[str, Dialect] = {}
