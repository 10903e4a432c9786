"""The events that carry out an interval of a plan at a virtual site."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from simulation.commands import CommandMode
from vendors.kit.control import CannotExpress, Command, Interval, PlannedEvent, Priority

LONGEST = timedelta(days=31)

CHARGING: Mapping[Priority | None, CommandMode] = {
    None: CommandMode.CHARGE_FROM_PV_GRID,
    Priority.PV: CommandMode.CHARGE_FROM_PV,
    Priority.LOAD: CommandMode.CHARGE_FROM_NET_PV,
    Priority.GRID: CommandMode.CHARGE_FROM_PV_GRID,
}
# With 0 kW a battery may take what the sun gives.
HOLDING_CHARGE: Mapping[Priority | None, CommandMode] = {
    None: CommandMode.CHARGE_FROM_PV,
    Priority.PV: CommandMode.CHARGE_FROM_PV,
    Priority.LOAD: CommandMode.CHARGE_FROM_NET_PV,
}
# By priority and whether export to the grid is allowed.
DISCHARGING: Mapping[tuple[Priority | None, bool | None], CommandMode] = {
    (None, None): CommandMode.DISCHARGE_TO_LOAD_GRID,
    (None, True): CommandMode.DISCHARGE_TO_LOAD_GRID,
    (None, False): CommandMode.DISCHARGE_TO_LOAD,
    (Priority.BATTERY, None): CommandMode.DISCHARGE_TO_LOAD,
    (Priority.BATTERY, True): CommandMode.DISCHARGE_TO_LOAD_GRID,
    (Priority.BATTERY, False): CommandMode.DISCHARGE_TO_LOAD,
    (Priority.PV, None): CommandMode.DISCHARGE_TO_NET_LOAD,
    (Priority.PV, False): CommandMode.DISCHARGE_TO_NET_LOAD,
}
# With 0 kW a battery may serve the loads.
HOLDING_DISCHARGE: Mapping[tuple[Priority | None, bool | None], CommandMode] = {
    **{key: mode for key, mode in DISCHARGING.items() if mode is not CommandMode.DISCHARGE_TO_LOAD_GRID},
    (None, None): CommandMode.DISCHARGE_TO_LOAD,
}


def planned_event(interval: Interval, now: datetime) -> PlannedEvent:
    """The event of what is left of the interval. Raises CannotExpress."""
    if interval.end - interval.start > LONGEST:
        raise CannotExpress("end", f"A virtual battery takes commands of {LONGEST.days} days at most.")
    mode, kw = {Command.CHARGE: _charge, Command.DISCHARGE: _discharge, Command.IDLE: _idle}[interval.command](interval)
    return PlannedEvent(max(interval.start, now), interval.end, mode.value, kw, interval.limit_percent)


def _charge(interval: Interval) -> tuple[CommandMode, float | None]:
    if interval.allow_export:
        raise CannotExpress("allow_export", "A battery that charges exports nothing.")
    modes = HOLDING_CHARGE if interval.kw == 0 else CHARGING
    if interval.priority not in modes:
        raise CannotExpress("priority", f"{interval.priority} is no priority of a charge with this power.")
    return modes[interval.priority], -interval.kw if interval.kw else None


def _discharge(interval: Interval) -> tuple[CommandMode, float | None]:
    modes = HOLDING_DISCHARGE if interval.kw == 0 else DISCHARGING
    if not any(priority == interval.priority for priority, _ in modes):
        raise CannotExpress("priority", f"{interval.priority} is no priority of a discharge.")
    if (interval.priority, interval.allow_export) not in modes:
        raise CannotExpress("allow_export", "With this priority or power only the loads are served.")
    return modes[interval.priority, interval.allow_export], interval.kw or None


def _idle(interval: Interval) -> tuple[CommandMode, float | None]:
    for member in ("kw", "limit_percent", "priority"):
        if getattr(interval, member):
            raise CannotExpress(member, "A battery that idles neither charges nor discharges.")
    if interval.allow_export:
        raise CannotExpress("allow_export", "A battery that idles exports nothing.")
    return CommandMode.IDLE, 0.0
