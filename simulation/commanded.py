"""Lays commands over the cycle of a battery.

Until the first command begins, the battery follows its cycle. From there its course is computed in short steps, each
with one power, until its charge is that of the cycle again. The power of a step follows from what was at its
beginning, and from closed forms of time: what is commanded later changes nothing before it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import zip_longest
from math import inf
from threading import Lock
from typing import NamedTuple

from simulation.battery import ONE_WAY, Cycle, Flows
from simulation.commands import BatteryCommand, CommandMode

DAY = 86_400
STEP_SECONDS = 300
# Without a command a battery approaches the charge of its cycle at this pace: from empty to full, or back.
RETURN_SECONDS = 12 * 3600
# Of the capacity; less is a rounding error.
LEAST_SHARE = 1e-10
# Of the course of a phase, at most: a day or the time of a return, in steps, with five numbers each.
PHASE_BYTES = 12_000
# Of each battery. The others are computed again from the state at their start.
CACHED_PHASES = 16

Counter = Callable[[float], float]


@dataclass(frozen=True, eq=False)
class Storage:
    """A battery with its cycle, and the counters of the panels and loads at its site, in kWh."""

    cycle: Cycle
    capacity_kwh: float
    floor_percent: float
    rated_kw: float
    pv_kwh: Counter
    load_kwh: Counter

    def stored_kwh(self, percent: float) -> float:
        """Energy above the floor at a state of charge; 0 below the floor."""
        return max(0.0, percent - self.floor_percent) / 100 * self.capacity_kwh

    def power_kw(self, command: BatteryCommand, start: float, end: float) -> float:
        """Power at the terminals in a step, not signed."""
        kw = self.rated_kw if command.kw is None else min(self.rated_kw, abs(command.kw))
        return min(kw, self._permitted_kw(CommandMode(command.mode), start, end))

    def _permitted_kw(self, mode: CommandMode, start: float, end: float) -> float:
        if mode not in LIMITED:
            return 0.0 if mode is CommandMode.IDLE else inf
        hours = (end - start) / 3600
        pv_kw = (self.pv_kwh(end) - self.pv_kwh(start)) / hours
        load_kw = (self.load_kwh(end) - self.load_kwh(start)) / hours
        return max(0.0, LIMITED[mode](pv_kw, load_kw))


# Modes whose power follows from those of the panels and loads.
LIMITED: dict[CommandMode, Callable[[float, float], float]] = {
    CommandMode.CHARGE_FROM_PV: lambda pv_kw, load_kw: pv_kw,
    CommandMode.CHARGE_FROM_NET_PV: lambda pv_kw, load_kw: pv_kw - load_kw,
    CommandMode.DISCHARGE_TO_LOAD: lambda pv_kw, load_kw: load_kw,
    CommandMode.DISCHARGE_TO_NET_LOAD: lambda pv_kw, load_kw: load_kw - pv_kw,
}


class Phase(NamedTuple):
    """A time with one command, or with none, up to the beginning of the next phase."""

    start: float
    command: BatteryCommand | None


def phases_of(commands: Sequence[BatteryCommand]) -> Iterator[Phase]:
    """The phases from the first command on, in order. A command ends where a later one begins.

    Commands of several days are cut into days, so that no phase has more steps than a day.
    """
    ordered = sorted((command for command in commands if command.start < command.end), key=lambda one: one.start)
    for command, following in zip_longest(ordered, ordered[1:]):
        start, limit = command.start, following.start if following else inf
        while start < min(command.end, limit):
            yield Phase(start, command)
            start += DAY
        if command.end < limit:
            yield Phase(command.end, None)


class CommandedCycle:
    """The flows of a battery that obeys commands, as a function of time."""

    def __init__(self, storage: Storage, commands: Sequence[BatteryCommand]) -> None:
        self._storage = storage
        self.phases = tuple(phases_of(commands))
        self._starts = array("d", (phase.start for phase in self.phases))
        self._states: list[Flows] = []
        """At the start of each phase that was looked at."""
        self._lock = Lock()
        self._course = lru_cache(maxsize=CACHED_PHASES)(partial(course_of, storage, self.phases))

    def __call__(self, t: float) -> Flows:
        index = bisect_right(self._starts, t) - 1
        if index < 0:
            return self._storage.cycle(t)
        self._grow(index)
        return self._course(index, self._states[index]).at(t)

    def phase_start(self, t: float) -> float:
        """When the phase began that holds the instant; minus infinity before the first."""
        index = bisect_right(self._starts, t) - 1
        return self._starts[index] if index >= 0 else -inf

    def _grow(self, index: int) -> None:
        with self._lock:
            if not self._states:
                self._states.append(self._storage.cycle(self._starts[0]))
            for known in range(len(self._states) - 1, index):
                course = self._course(known, self._states[known])
                self._states.append(course.at(self._starts[known + 1]))


class Course:
    """The flows of one phase, in steps of constant power."""

    def __init__(self, cycle: Cycle, start: float, state: Flows) -> None:
        self._cycle = cycle
        self._times = array("d", (start,))
        self._columns = tuple(array("d", (value,)) for value in state)
        self._stored_kw = array("d")
        """Power of each step as it changes what is stored; negative discharges."""
        self._rejoined = inf

    def at(self, t: float) -> Flows:
        """The flows at an instant of the phase."""
        return self._in_cycle(t) if t >= self._rejoined else self._in_steps(t)

    @property
    def last(self) -> Flows:
        """The flows at the end of the last step."""
        return Flows(*(column[-1] for column in self._columns))

    def add(self, end: float, stored_kw: float) -> None:
        """Adds a step. It may end earlier than was planned: no number before its end depends on it."""
        self._stored_kw.append(stored_kw)
        flows = self._in_steps(end)
        self._times.append(end)
        for column, value in zip(self._columns, flows, strict=True):
            column.append(value)

    def rejoin(self) -> None:
        """From the end of the last step on, the battery follows its cycle."""
        self._rejoined = self._times[-1]

    def _in_steps(self, t: float) -> Flows:
        step = bisect_right(self._times, t) - 1
        if step >= len(self._stored_kw):
            return self.last
        charge_kwh, discharge_kwh, stored_kwh = (column[step] for column in self._columns)
        gained_kwh = self._stored_kw[step] * (t - self._times[step]) / 3600
        return Flows(
            charge_kwh + max(0.0, gained_kwh) / ONE_WAY,
            discharge_kwh + max(0.0, -gained_kwh) * ONE_WAY,
            stored_kwh + gained_kwh,
        )

    def _in_cycle(self, t: float) -> Flows:
        now, joined, last = self._cycle(t), self._cycle(self._rejoined), self.last
        return Flows(
            last.charge_kwh + (now.charge_kwh - joined.charge_kwh),
            last.discharge_kwh + (now.discharge_kwh - joined.discharge_kwh),
            now.stored_kwh,
        )


def course_of(storage: Storage, phases: Sequence[Phase], index: int, state: Flows) -> Course:
    """The course of a phase from the state at its start."""
    start, command = phases[index]
    end = phases[index + 1].start if index + 1 < len(phases) else inf
    course = Course(storage.cycle, start, state)
    if command is None:
        _return(course, storage, start, end)
    else:
        _obey(course, storage, command, start, end)
    return course


def _step_end(t: float) -> float:
    """The end of the step of the clock that holds the instant, whether or not the phase ends before."""
    return (t // STEP_SECONDS + 1) * STEP_SECONDS


def _obey(course: Course, storage: Storage, command: BatteryCommand, start: float, end: float) -> None:
    """Adds the steps of a phase with a command. With a constant power it is one, or two where a limit is reached."""
    mode = CommandMode(command.mode)
    percent = command.limit_percent if command.limit_percent is not None else 100.0 if mode.charges else 0.0
    limit_kwh, sign = storage.stored_kwh(percent), 1 if mode.charges else -1
    t = start
    while t < end:
        whole_step_end = _step_end(t) if mode in LIMITED else end
        kw = storage.power_kw(command, t, whole_step_end) * (ONE_WAY if mode.charges else 1 / ONE_WAY)
        room_kwh = max(0.0, sign * (limit_kwh - course.last.stored_kwh))
        step_end = min(whole_step_end, end)
        reached = t + 3600 * room_kwh / kw if kw > 0 else inf
        if t < reached:
            course.add(min(reached, step_end), sign * kw)
        if reached < step_end:
            course.add(step_end, 0.0)
        t = step_end


def _return(course: Course, storage: Storage, start: float, end: float) -> None:
    """Adds the steps of a phase without a command, up to that at which the charge is that of the cycle.

    The battery does what its cycle does, and approaches its charge: faster or more slowly than the cycle, but never
    against it.
    """
    pace_kw, full_kwh = storage.capacity_kwh * 3600 / RETURN_SECONDS, storage.stored_kwh(100)
    t, aim_kwh = start, storage.cycle(start).stored_kwh
    while t < end:
        stored_kwh = course.last.stored_kwh
        missing_kwh = aim_kwh - stored_kwh
        if abs(missing_kwh) <= LEAST_SHARE * storage.capacity_kwh:
            course.rejoin()
            return
        step_end = _step_end(t)
        next_kwh = storage.cycle(step_end).stored_kwh
        most_kwh = pace_kw * (step_end - t) / 3600
        own_kwh = next_kwh - aim_kwh
        gained_kwh = own_kwh + max(-most_kwh, min(most_kwh, missing_kwh))
        if own_kwh * gained_kwh < 0:
            gained_kwh = 0.0
        gained_kwh = max(-stored_kwh, min(full_kwh - stored_kwh, gained_kwh))
        course.add(min(step_end, end), 3600 * gained_kwh / (step_end - t))
        t, aim_kwh = step_end, next_kwh
