"""The batteries of the fleet: what happens to each, how well it obeys, and the commands that it has."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from sandbox.batteries.happenings import Conditions, Happenings, ModeByHand
from sandbox.batteries.obeying_site import ObeyingSite
from simulation import BatteryCommand, CommandMode
from simulation.battery import BACKUP

FULL_PERCENT = 100.0


class Layer(NamedTuple):
    """A span in which a battery has that command, or none, whatever earlier layers say."""

    start: float
    end: float
    command: BatteryCommand | None


class CommandSource(Protocol):
    """A cloud that commands batteries."""

    def layers(self, number: int, happenings: Happenings) -> Iterable[Layer]:
        """Its commands to the battery of the site with that number, the oldest first."""

    def forget(self) -> None:
        """Takes back all that it ever commanded."""


class Batteries:
    """The batteries by the numbers of their sites. Each change makes them obey from then on.

    lock: held during every change, by sources too: two locks could be taken in either order, and wait for each other.
    """

    def __init__(self, sites: Sequence[ObeyingSite]) -> None:
        self._sites = sites
        self.lock = threading.RLock()
        self._sources: list[CommandSource] = []
        self._conditions: dict[int, Conditions] = {}
        self._happenings: dict[int, Happenings] = {}

    def add_source(self, source: CommandSource) -> None:
        """Lets a cloud command the batteries."""
        self._sources.append(source)

    def conditions(self, number: int) -> Conditions:
        """How well the next event of the site fares."""
        return self._conditions.get(number, Conditions())

    def set_conditions(self, number: int, conditions: Conditions) -> None:
        """Sets how well events of the site fare that are made from now on."""
        self._conditions[number] = conditions

    def happenings(self, number: int) -> Happenings:
        """Outages, modes and opting out at the site."""
        return self._happenings.get(number, Happenings())

    def happen(self, number: int, change: Callable[[Happenings], Happenings]) -> None:
        """Adds something that happens at the site."""
        with self.lock:
            self._happenings[number] = change(self.happenings(number))
            self.obey(number)

    def obey(self, number: int) -> None:
        """Gives the battery of the site the commands that all clouds, its owner and its outages leave it."""
        with self.lock:
            happenings, site = self.happenings(number), self._sites[number]
            layers = [layer for source in self._sources for layer in source.layers(number, happenings)]
            layers += [Layer(by_hand.start, by_hand.end, _by_hand(by_hand)) for by_hand in happenings.modes]
            layers += [Layer(outage.start, outage.end, None) for outage in happenings.outages]
            site.obey(tuple(commands_of(layers)))

    def commands(self, number: int) -> tuple[BatteryCommand, ...]:
        """The commands of the battery, past ones included."""
        return self._sites[number].obeyed

    def forget(self) -> None:
        """Takes back all conditions, happenings and commands."""
        with self.lock:
            for source in self._sources:
                source.forget()
            self._conditions.clear()
            self._happenings.clear()
            for number in range(len(self._sites)):
                self.obey(number)


def commands_of(layers: Iterable[Layer]) -> list[BatteryCommand]:
    """The commands that remain in force, in order of time: each layer takes its span from the layers before it."""
    in_force: list[BatteryCommand] = []
    for start, end, command in layers:
        in_force = [part for before in in_force for part in _outside(before, start, end)]
        if command is not None and start < end:
            in_force.append(replace(command, start=start, end=end))
    return sorted(in_force, key=lambda command: command.start)


def _outside(command: BatteryCommand, start: float, end: float) -> Iterator[BatteryCommand]:
    """The parts of the command that lie before and after the span."""
    if command.end <= start or end <= command.start:
        yield command
        return
    if command.start < start:
        yield replace(command, end=start)
    if end < command.end:
        yield replace(command, start=end)


def _by_hand(by_hand: ModeByHand) -> BatteryCommand | None:
    """Full backup fills the battery, from the grid too; in the other modes it goes through its usual day."""
    if by_hand.mode != BACKUP:
        return None
    return BatteryCommand(by_hand.start, by_hand.end, None, CommandMode.CHARGE_FROM_PV_GRID, FULL_PERCENT)
