"""The demands of an order on the battery, in numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.control.measured import HOUR, Flow, Reading, Window, charge, discharge
from vendors.kit.control import Command, Interval, Priority

# Of power x time, and of the ordered power.
TOLERANCE = 0.05
# Of the rated power: less is rest.
REST = 0.03
# Rest if the rated power is unknown: less than 3 % of any battery for a home.
REST_KW = 0.05
LIMIT_POINTS = 2.0


class Rule(StrEnum):
    """The reasons for a verdict."""

    ENERGY = "energy"
    """The energy of the whole interval: within 5 % of power x time."""
    POWER = "power"
    """Measured power of the right sign and size, in time."""
    LIMIT = "limit"
    """The right sign, until the charge was at its limit."""
    DIRECTION = "direction"
    """The right sign or rest, never the opposite."""
    IDLE = "idle"
    """Less than 3 % of the rated power."""
    UNSEEN = "unseen"
    """Nothing was measured that decides."""


@dataclass(frozen=True)
class Expectation:
    """An order and the battery that it is for."""

    interval: Interval
    rating_kw: float | None
    latency: timedelta

    @property
    def rule(self) -> Rule:
        """The rule for the whole interval."""
        if self.interval.command is Command.IDLE:
            return Rule.IDLE
        # 0 holds: rest, or what the sun gives and the loads take.
        is_open = not self.interval.kw or self.interval.priority in (Priority.PV, Priority.LOAD)
        return Rule.DIRECTION if is_open else Rule.ENERGY

    @property
    def kw(self) -> float:
        """The ordered power, capped at the battery's rating."""
        ordered = self.interval.kw or 0.0
        return ordered if self.rating_kw is None else min(ordered, self.rating_kw)

    @property
    def rest_kw(self) -> float:
        """Less than this is rest."""
        return REST_KW if self.rating_kw is None else REST * self.rating_kw

    @property
    def window(self) -> Window:
        """The whole interval."""
        return Window(self.interval.start, self.interval.end)

    @property
    def settled(self) -> Window:
        """The time in which the battery must have taken the order: after the vendor's latency, and of a short interval
        its second half at least."""
        half = (self.interval.end - self.interval.start) / 2
        return Window(self.interval.start + min(self.latency, half), self.interval.end)

    @property
    def in_time(self) -> datetime:
        """Until when a measurement shows that the order was taken in time: what was lost before is then either the
        vendor's latency, or within the tolerance of the energy."""
        length = self.interval.end - self.interval.start
        return self.interval.start + max(self.latency, length * TOLERANCE)

    def kwh(self, start: datetime) -> float:
        """The energy that was ordered from this time on."""
        return self.kw * ((self.interval.end - start) / HOUR)

    def along(self, flow: Flow) -> float:
        """The energy in the ordered direction."""
        return charge(flow) if self.interval.command is Command.CHARGE else discharge(flow)

    def against(self, flow: Flow) -> float:
        """The energy in the opposite direction."""
        return discharge(flow) if self.interval.command is Command.CHARGE else charge(flow)

    def is_right(self, reading: Reading) -> bool:
        """Whether the power is as ordered at this time."""
        kw = -reading.kw if self.interval.command is Command.CHARGE else reading.kw
        if self.rule is Rule.IDLE:
            return abs(kw) < self.rest_kw
        if kw >= self.rest_kw and self.is_beyond(reading.soc_percent):
            return False
        if self.rule is Rule.DIRECTION:
            return kw > -self.rest_kw
        if self.is_at_limit(reading.soc_percent):
            return -self.rest_kw < kw <= self.kw * (1 + TOLERANCE)
        return abs(kw - self.kw) <= self.kw * TOLERANCE

    def is_at_limit(self, soc_percent: float | None) -> bool:
        """Whether the charge is where the order ends. Without a limit it ends with its time, even if full."""
        limit = self.interval.limit_percent
        return soc_percent is not None and limit is not None and abs(soc_percent - limit) <= LIMIT_POINTS

    def is_beyond(self, soc_percent: float | None) -> bool:
        """Whether the charge is where an order must not bring it."""
        limit = self.interval.limit_percent
        if soc_percent is None or limit is None:
            return False
        beyond = soc_percent - limit
        return (beyond if self.interval.command is Command.CHARGE else -beyond) > LIMIT_POINTS
