"""The event that carries out an interval of a plan at a virtual site."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from simulation.commands import CommandMode
from vendors.kit.control import CannotExpress, Command, Interval, PlannedEvent, Priority

LONGEST = timedelta(days=31)

# By priority, the mode of each kind of interval. With 0 kW a battery may take what the sun gives, or serve the loads.
Modes = Mapping[Priority | None, CommandMode]
CHARGES: Modes = {
    None: CommandMode.CHARGE_FROM_PV_GRID,
    Priority.GRID: CommandMode.CHARGE_FROM_PV_GRID,
    Priority.PV: CommandMode.CHARGE_FROM_PV,
    Priority.LOAD: CommandMode.CHARGE_FROM_NET_PV,
}
CHARGES_WITHOUT_POWER: Modes = {
    None: CommandMode.CHARGE_FROM_NET_PV,
    Priority.LOAD: CommandMode.CHARGE_FROM_NET_PV,
    Priority.PV: CommandMode.CHARGE_FROM_PV,
}
EXPORTS: Modes = {
    None: CommandMode.DISCHARGE_TO_LOAD_GRID,
    Priority.BATTERY: CommandMode.DISCHARGE_TO_LOAD_GRID,
}
SERVES_LOADS: Modes = {
    None: CommandMode.DISCHARGE_TO_LOAD,
    Priority.BATTERY: CommandMode.DISCHARGE_TO_LOAD,
    Priority.PV: CommandMode.DISCHARGE_TO_NET_LOAD,
}
SERVES_LOADS_WITHOUT_POWER: Modes = {**SERVES_LOADS, None: CommandMode.DISCHARGE_TO_NET_LOAD}
RESTS: Modes = {None: CommandMode.IDLE}


def planned_event(interval: Interval, now: datetime) -> PlannedEvent:
    """The event of what is left of the interval. Raises CannotExpress."""
    start = max(interval.start, now)
    if interval.end - start > LONGEST:
        raise CannotExpress("end", f"A virtual battery takes commands of {LONGEST.days} days at most.")
    if interval.allow_export is False and interval.command is not Command.DISCHARGE:
        raise CannotExpress("allow_export", "Energy is withheld from the grid only while a battery discharges.")
    modes = _modes_of(interval)
    if interval.priority not in modes:
        raise CannotExpress("priority", "There is no such priority for this command, kw and export.")
    mode = modes[interval.priority]
    return PlannedEvent(start, interval.end, mode.value, _kw_of(interval), interval.limit_percent)


def _modes_of(interval: Interval) -> Modes:
    if interval.command is Command.IDLE:
        return RESTS
    if interval.command is Command.CHARGE:
        return CHARGES_WITHOUT_POWER if interval.kw == 0 else CHARGES
    if interval.kw == 0:
        return SERVES_LOADS_WITHOUT_POWER
    # By default, since the loads alone would bound the power; with the sun going first they do.
    is_default = interval.allow_export is None
    exports = interval.priority is not Priority.PV if is_default else interval.allow_export
    return EXPORTS if exports else SERVES_LOADS


def _kw_of(interval: Interval) -> float | None:
    if interval.command is not Command.IDLE:
        sign = -1 if interval.command is Command.CHARGE else 1
        return sign * interval.kw if interval.kw else None
    for member in ("kw", "limit_percent"):
        if getattr(interval, member):
            raise CannotExpress(member, "A battery that idles neither charges nor discharges.")
    return 0.0
