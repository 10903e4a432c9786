"""Intervals of battery control as events of the Grid Services API: what is declared, and what an interval becomes.

An event addresses all batteries of a site, has an end, and belongs to a program in which the site is enrolled.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, copysign

from vendors.kit import CannotExpress, Command, Control, Interval, PlannedEvent, Priority

CONTROL = Control(
    # Nothing wears with an event; the bound keeps a plan that changes without end from flooding the account.
    writes_per_day=400,
    # A command that the gateway does not acknowledge is sent again until then.
    takes_effect=timedelta(minutes=5),
    # How soon a list shows a new event is documented nowhere.
    settles=timedelta(minutes=1),
    has_programs=True,
)
MINUTE = timedelta(minutes=1)
SHORTEST, LONGEST, FARTHEST = timedelta(minutes=5), timedelta(hours=5), timedelta(days=7)
LEAST_PERCENT, MOST_PERCENT = 10, 100

CHARGE_PV, CHARGE_NET_PV, CHARGE_PV_GRID = "Charge_From_PV", "Charge_From_NetPV", "Charge_From_PV_Grid"
TO_LOAD, TO_NET_LOAD, TO_LOAD_GRID = "Discharge_To_Load", "Discharge_To_NetLoad", "Discharge_To_Load_Grid"
IDLE = "Idle"
SIGNS = {CHARGE_PV: -1, CHARGE_NET_PV: -1, CHARGE_PV_GRID: -1, TO_LOAD: 1, TO_NET_LOAD: 1, TO_LOAD_GRID: 1, IDLE: 0}

# By priority, the mode of each kind of interval. To hold is a mode without a power.
Modes = Mapping[Priority | None, str]
CHARGES: Modes = {
    None: CHARGE_PV_GRID,
    Priority.GRID: CHARGE_PV_GRID,
    Priority.PV: CHARGE_PV,
    Priority.LOAD: CHARGE_NET_PV,
}
CHARGES_WITHOUT_POWER: Modes = {None: CHARGE_NET_PV, Priority.LOAD: CHARGE_NET_PV, Priority.PV: CHARGE_PV}
EXPORTS: Modes = {None: TO_LOAD_GRID, Priority.BATTERY: TO_LOAD_GRID}
SERVES_LOADS: Modes = {None: TO_LOAD, Priority.BATTERY: TO_LOAD, Priority.PV: TO_NET_LOAD}
SERVES_LOADS_WITHOUT_POWER: Modes = {None: TO_NET_LOAD, Priority.PV: TO_NET_LOAD, Priority.BATTERY: TO_LOAD}
RESTS: Modes = {None: IDLE}


def planned_events(interval: Interval, now: datetime) -> list[PlannedEvent]:
    """The events that make up what is left of an interval. Raises CannotExpress."""
    mode, kw = mode_of(interval), kw_of(interval)
    limit = limit_of(interval)
    return [PlannedEvent(start, end, mode, kw, limit) for start, end in pairwise(borders(interval, now))]


def mode_of(interval: Interval) -> str:
    """The mode of an interval's events."""
    if interval.allow_export is False and interval.command is not Command.DISCHARGE:
        raise CannotExpress("allow_export", "Enphase VPP can withhold energy from the grid only while it discharges.")
    modes = _modes_of(interval)
    if interval.priority not in modes:
        raise CannotExpress("priority", "Enphase VPP has no mode with this priority for this command, kw and export.")
    return modes[interval.priority]


def _modes_of(interval: Interval) -> Modes:
    if interval.command is Command.IDLE:
        return RESTS
    if interval.command is Command.CHARGE:
        return CHARGES_WITHOUT_POWER if interval.kw == 0 else CHARGES
    if interval.kw == 0:
        return SERVES_LOADS_WITHOUT_POWER
    # By default, since without the grid the loads bound the power; but no mode exports where the sun goes first.
    exports = interval.priority is not Priority.PV if interval.allow_export is None else interval.allow_export
    return EXPORTS if exports else SERVES_LOADS


def kw_of(interval: Interval) -> float | None:
    """The signed power of an interval's events, in whole watts; None where the vendor takes the rated one."""
    if interval.command is Command.IDLE:
        if interval.kw:
            raise CannotExpress("kw", "Must be 0 or absent for idle.")
        return 0.0
    if not interval.kw:
        return None
    watts = round(interval.kw * 1000)
    if watts < 1:
        raise CannotExpress("kw", "Enphase VPP has whole watts: must be at least 0.001, or 0 to hold.")
    return copysign(watts / 1000, -1 if interval.command is Command.CHARGE else 1)


def limit_of(interval: Interval) -> float | None:
    """The charge at which an interval's events end."""
    percent = interval.limit_percent
    if percent is None:
        return None
    if interval.command is Command.IDLE:
        raise CannotExpress("limit_percent", "Enphase VPP has no limit of charge for idle.")
    if percent != round(percent) or not LEAST_PERCENT <= percent <= MOST_PERCENT:
        raise CannotExpress("limit_percent", f"Enphase VPP has whole percents from {LEAST_PERCENT} to {MOST_PERCENT}.")
    return float(percent)


def borders(interval: Interval, now: datetime) -> list[datetime]:
    """The times at which an interval's events begin and end, one after the other.

    They are counted from the end, so that those ahead stay where they are while the interval passes.
    """
    start, end = _start_of(interval, now), interval.end
    if end != whole_minute(end):
        raise CannotExpress("end", "Enphase VPP has whole minutes.")
    if end - start < SHORTEST:
        raise CannotExpress("end", "An event of Enphase VPP lasts 5 minutes at least.")
    times = [end]
    while times[-1] - start > LONGEST:
        times.append(max(times[-1] - LONGEST, start + SHORTEST))
        if times[-1] > now + FARTHEST:
            raise CannotExpress("end", "Enphase VPP takes events of up to 5 hours that start within 7 days.")
    return [start, *reversed(times)]


def _start_of(interval: Interval, now: datetime) -> datetime:
    if interval.start < now:
        return whole_minute(now)
    if interval.start != whole_minute(interval.start):
        raise CannotExpress("start", "Enphase VPP has whole minutes.")
    if interval.start > now + FARTHEST:
        raise CannotExpress("start", "Enphase VPP takes events that start within 7 days.")
    return interval.start


def whole_minute(at: datetime) -> datetime:
    """The next time in whole minutes, or this one."""
    return datetime.fromtimestamp(60 * ceil(at.timestamp() / 60), at.tzinfo)
