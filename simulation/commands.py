"""Commands to the batteries of a site."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite


class CommandMode(StrEnum):
    """Where charge comes from, or where discharge goes."""

    CHARGE_FROM_PV = "Charge_From_PV"
    """No more than the panels give."""
    CHARGE_FROM_NET_PV = "Charge_From_NetPV"
    """No more than the panels give beyond the load."""
    CHARGE_FROM_PV_GRID = "Charge_From_PV_Grid"
    DISCHARGE_TO_LOAD = "Discharge_To_Load"
    """No more than the load takes."""
    DISCHARGE_TO_NET_LOAD = "Discharge_To_NetLoad"
    """No more than the load takes beyond what the panels give."""
    DISCHARGE_TO_LOAD_GRID = "Discharge_To_Load_Grid"
    IDLE = "Idle"

    @property
    def charges(self) -> bool:
        """Whether it lets the battery charge, and never discharge."""
        return self.value.startswith("Charge")


@dataclass(frozen=True)
class BatteryCommand:
    """What a battery does from one instant to another, both in epoch seconds.

    kw: power at the battery's terminals, positive discharges; the rated power and the mode limit it. None: as much as
    these permit. limit_percent: the state of charge up to which it charges, or down to which it discharges.
    """

    start: float
    end: float
    kw: float | None
    mode: str
    limit_percent: float | None = None

    def __post_init__(self) -> None:
        mode = CommandMode(self.mode)
        if not (isfinite(self.start) and isfinite(self.end) and self.start <= self.end):
            raise ValueError("a command ends at or after its start")
        if self.kw is not None and (not isfinite(self.kw) or not _has_sign_of(mode, self.kw)):
            raise ValueError(f"{mode} is no mode for {self.kw} kW, where positive discharges")
        if self.limit_percent is not None and not 0 <= self.limit_percent <= 100:
            raise ValueError("the limit of a command is a state of charge of 0 to 100 percent")


def _has_sign_of(mode: CommandMode, kw: float) -> bool:
    if mode is CommandMode.IDLE:
        return kw == 0
    return kw <= 0 if mode.charges else kw >= 0
