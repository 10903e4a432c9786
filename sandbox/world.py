"""The state that all dialects share: the fleet and its batteries, the clock of its data, and each vendor's faults,
quotas and counts."""

import threading
from collections.abc import Callable

from sandbox.batteries.batteries import Batteries
from sandbox.batteries.obeying_site import ObeyingSite
from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.quotas import Quotas
from simulation import Fleet


class World:
    """The state of one sandbox, without its dialects. `stopped` is set when its server ends.

    The sites of its fleet obey, so that every dialect that holds one shows what its battery was commanded.
    """

    def __init__(self, fleet: Fleet, real_time: Callable[[], float], ticks: Callable[[], float]) -> None:
        obeying_sites = tuple(map(ObeyingSite.of, fleet.sites))
        fleet.sites = obeying_sites
        self.fleet = fleet
        self.batteries = Batteries(obeying_sites)
        self.real_time = real_time
        self.clock = Clock(real_time)
        self.faults = Faults()
        self.quotas = Quotas(ticks)
        self.calls = Calls()
        self.writes = Calls()
        self.stopped = threading.Event()
