"""One site: a place, a peak power, perhaps a battery, and the energies that flow there."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Self

from simulation.battery import Battery, Cycle, Flows, cycle_of
from simulation.commanded import CommandedCycle, Storage
from simulation.commands import BatteryCommand
from simulation.load import load_kwh
from simulation.places import Place
from simulation.pv import Pv, pv_of

EARLIEST_YEAR = 2015


@dataclass(frozen=True)
class Site:
    """A site of the fleet. Its energies are kWh since `operational_since`, unrounded, and 0 before it.

    Instants `t` are epoch seconds. Charge and discharge are measured at the battery's terminals.
    """

    number: int
    name: str
    place: Place
    pv_kwp: float
    battery: Battery | None
    operational_since: datetime
    seed: int = 1
    load_kwh_per_day: float = 10.0
    commands: tuple[BatteryCommand, ...] = ()

    def __post_init__(self) -> None:
        if self.operational_since.tzinfo is None or self.operational_since.year < EARLIEST_YEAR:
            raise ValueError(f"operational_since must be aware and not before {EARLIEST_YEAR}")

    def with_commands(self, commands: tuple[BatteryCommand, ...]) -> Self:
        """The same site, whose battery obeys these commands and no others."""
        return replace(self, commands=commands)

    @cached_property
    def _start(self) -> float:
        return self.operational_since.timestamp()

    @cached_property
    def _pv(self) -> Pv:
        return pv_of(self.place, self.seed)

    @cached_property
    def _pv_at_start(self) -> float:
        return self._pv.kwh(self._start)

    @cached_property
    def _cycle(self) -> Cycle | None:
        battery = self.battery
        if battery is None:
            return None
        cycle = cycle_of(battery, self.place, self._pv, self.pv_kwp)
        if not self.commands:
            return cycle
        floor_percent, rated_kw = battery.floor_percent, battery.rated_kw
        storage = Storage(cycle, battery.capacity_kwh, floor_percent, rated_kw, self.pv_kwh, self.load_kwh)
        return CommandedCycle(storage, self.commands)

    @cached_property
    def _flows_at_start(self) -> Flows:
        return self._cycle(self._start) if self._cycle else Flows(0.0, 0.0, 0.0)

    def pv_kwh(self, t: float) -> float:
        """Energy from the panels."""
        if t <= self._start:
            return 0.0
        return self.pv_kwp * (self._pv.kwh(t) - self._pv_at_start)

    def charge_kwh(self, t: float) -> float:
        """Energy into the battery; 0 without one."""
        if t <= self._start or self._cycle is None:
            return 0.0
        return self._cycle(t).charge_kwh - self._flows_at_start.charge_kwh

    def discharge_kwh(self, t: float) -> float:
        """Energy out of the battery; 0 without one."""
        if t <= self._start or self._cycle is None:
            return 0.0
        return self._cycle(t).discharge_kwh - self._flows_at_start.discharge_kwh

    def load_kwh(self, t: float) -> float:
        """Energy drawn by the household or business."""
        if t <= self._start:
            return 0.0
        longitude, daily = self.place.longitude, self.load_kwh_per_day
        return load_kwh(t, longitude, daily) - load_kwh(self._start, longitude, daily)

    def soc_percent(self, t: float) -> float | None:
        """State of charge; None without a battery and before the site is operational."""
        if t < self._start or self._cycle is None or self.battery is None:
            return None
        stored = self._cycle(t).stored_kwh / self.battery.capacity_kwh
        return max(0.0, min(100.0, self.battery.floor_percent + 100 * stored))
