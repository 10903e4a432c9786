"""Battery control: what a plugin declares, what it is asked for, and what it reports.

Powers are in kW and signed as the vendors' schedules are: positive discharges, negative charges, 0 holds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vendors.kit.errors import Refused

# The most by which a vendor moves the start of an event that is to start at once: schedules have steps of a minute, and
# the vendor's clock differs from this server's.
START_TOLERANCE = timedelta(minutes=2)


class Command(StrEnum):
    """What a battery is to do."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    IDLE = "idle"


class Priority(StrEnum):
    """Which source or load goes first."""

    PV = "PV"
    BATTERY = "B"
    LOAD = "Load"
    GRID = "Grid"


@dataclass(frozen=True)
class Interval:
    """One interval of a plan, as a client sends it. `kw` is not signed; 0 holds: discharge with 0 may serve the loads
    and not charge, charge with 0 may take what the sun gives and not discharge."""

    command: Command
    start: datetime
    end: datetime
    kw: float | None = None
    limit_percent: float | None = None
    """Charge up to it, or discharge down to it."""
    priority: Priority | None = None
    allow_export: bool | None = None


class CannotExpress(Exception):
    """The vendor cannot be asked for this interval. member: the name of the member of `Interval` that it cannot
    express. why: a sentence for clients."""

    def __init__(self, member: str, why: str) -> None:
        self.member, self.why = member, why
        super().__init__(f"{member}: {why}")


class CommandRefused(Refused):
    """The vendor refuses a command by its rules, and would refuse it again; `words` says by which."""

    code, status, reason = "command_refused", 400, "Bad Request"
    says = "The vendor refuses the command."
    fault = "caller"
    advice = "Read the vendor's words in the status of the interval, and change the interval accordingly."


@dataclass(frozen=True)
class PlannedEvent:
    """An event to be made, in the vendor's terms. One interval is one event, or several without a gap."""

    start: datetime
    end: datetime
    mode: str
    kw: float | None
    limit_percent: float | None = None


class EventState(StrEnum):
    """How far an event is, by the vendor's word."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    ENDED = "ended"
    """Its end has passed, or it was ended while it ran."""
    FAILED = "failed"
    REMOVED = "removed"
    """Cancelled before its start, or displaced by another."""
    OPTED_OUT = "opted out"


@dataclass(frozen=True)
class Event:
    """An event as the vendor has it. `text`: the vendor's own words on its state."""

    id: str
    start: datetime
    end: datetime
    mode: str
    kw: float | None
    limit_percent: float | None
    state: EventState
    text: str
    reason: str = ""
    """Why it failed, in the vendor's words."""

    def is_of(self, planned: PlannedEvent) -> bool:
        """Whether this event is what was planned. A power or limit that the plan leaves to the vendor may have any
        value, and an event that was to start at once may start a little earlier or later."""
        return (
            (self.end, self.mode) == (planned.end, planned.mode)
            and abs(self.start - planned.start) <= START_TOLERANCE
            and planned.kw in (None, self.kw)
            and planned.limit_percent in (None, self.limit_percent)
        )


@dataclass(frozen=True)
class Accepted:
    """The vendor's answer to a new event. kw: the power to which it has capped the event, if it says so."""

    id: str
    text: str
    kw: float | None = None


@dataclass(frozen=True)
class Control:
    """What a vendor's cloud can do for the batteries of a site, declared by its plugin."""

    writes_per_day: int
    """Of a site. Event clouds 400; devices that wear with each write 24."""
    takes_effect: timedelta
    """The longest time from an event's start until its power can be measured."""
    settles: timedelta
    """The longest time from a write until a read shows it."""
    has_programs: bool = False
    """Whether events belong to a program in which the site is enrolled."""
    has_series: bool = True
    """Whether a series shows afterwards what flowed."""
