"""The state of a system at one moment: how far it has reported, and its faults."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from sandbox.enphase.systems.constants import LAG_SECONDS
from sandbox.enphase.systems.site import EnphaseSite
from simulation import Device

ROW, METER_ROW = 300, 900
SILENT_MICROS, SILENT_SECONDS = 4, 3 * 86_400
GATEWAY_DOWN_SECONDS = 26 * 3600
# A polar night is shorter.
DARK_ROWS = 100 * 86_400 // ROW


@dataclass(frozen=True)
class State:
    """A system as the cloud knows it now.

    ready: epoch seconds up to which there are data, the end of a row. silent: microinverters that have sent nothing
    since `silent_since`.
    """

    seen: EnphaseSite
    status: str
    ready: int
    last_report: int
    silent: tuple[Device, ...] = ()
    silent_since: int = 0

    @property
    def is_retired(self) -> bool:
        """Whether the system is no longer in service."""
        return self.status == "retired"

    @property
    def operational_at(self) -> int:
        """When it went into service."""
        return int(self.seen.site.operational_since.timestamp())

    @property
    def last_light(self) -> int | None:
        """End of the last row of the microinverters: they are silent in the dark. None before the first one."""
        pv_kwh, last = self.seen.site.pv_kwh, self.ready // ROW
        energy = pv_kwh(ROW * last)
        first = bisect_left(range(last - DARK_ROWS, last), energy, key=lambda row: pv_kwh(ROW * row))
        return ROW * (last - DARK_ROWS + first) if energy > 0 else None

    def meta(self) -> dict[str, Any]:
        """The member `meta`, which most series have."""
        return {
            "status": self.status,
            "last_report_at": self.last_report,
            "last_energy_at": self.last_light,
            "operational_at": self.operational_at,
        }

    def is_silent(self, device: Device) -> bool:
        """Whether the device has stopped reporting."""
        return device in self.silent

    def reported(self, device: Device, t: float) -> float:
        """Up to when the device's counter is known at that instant."""
        t = min(t, self.ready)
        return min(t, self.silent_since) if self.is_silent(device) else t

    def produced_wh(self, t: float) -> int:
        """The counter of all microinverters, as far as they reported."""
        t = min(t, self.ready)
        lost = 0
        if self.silent and t > self.silent_since:
            lost = sum(self.seen.view.energy_wh(device, "pv", self.silent_since, t) for device in self.silent)
        return self.seen.view.site_reading_wh("pv", t) - lost

    def power_w(self, t: float, over: float) -> float:
        """Mean power, of the seconds that end at that instant, of all microinverters that report."""
        silent = self.silent if t > self.silent_since else ()
        lost = sum(self.seen.view.power_w(device, "pv", t, over) for device in silent)
        return self.seen.view.power_w(None, "pv", t, over) - lost

    def reporting(self, t: float) -> int:
        """The number of microinverters in the row that ends at that instant."""
        return len(self.seen.inverters) - (len(self.silent) if t > self.silent_since else 0)


def usual(seen: EnphaseSite, now: float) -> State:
    """A system without faults."""
    return State(seen, "normal", _grid(now - LAG_SECONDS), _grid(now))


def retired(seen: EnphaseSite, now: float) -> State:
    """A system that is no longer in service."""
    return State(seen, "retired", _grid(now - LAG_SECONDS), _grid(now))


def with_silent_micros(seen: EnphaseSite, now: float) -> State:
    """A system some of whose microinverters have stopped reporting."""
    silent, since = seen.inverters[:SILENT_MICROS], _grid(now - SILENT_SECONDS)
    return State(seen, "micro", _grid(now - LAG_SECONDS), _grid(now), silent, since)


def with_gateway_down(seen: EnphaseSite, now: float) -> State:
    """A system that has sent nothing for a day."""
    end = _grid(now - GATEWAY_DOWN_SECONDS)
    return State(seen, "comm", end, end)


def in_outage(seen: EnphaseSite, now: float, since: float) -> State:
    """A system that has sent nothing since that instant; it will send the rows of this time afterwards."""
    return State(seen, "comm", _grid(min(now - LAG_SECONDS, since)), _grid(since))


def _grid(t: float) -> int:
    return int(ROW * (t // ROW))
