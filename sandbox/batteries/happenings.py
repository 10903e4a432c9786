"""Happenings at a site, and how well its battery and its vendor's cloud carry out commands."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Conditions:
    """How an event fares that is made under these conditions; by default at once and truly.

    delay_seconds: from an event's start until the battery obeys. ignores: the battery does nothing, though the command
    counts as delivered. most_kw: the power that the battery really gives or takes at most. stale_reads: so many reads
    after each write show what held before it. drops: a new event is answered well and not kept.
    """

    delay_seconds: float = 0.0
    ignores: bool = False
    most_kw: float | None = None
    stale_reads: int = 0
    drops: bool = False


@dataclass(frozen=True)
class Outage:
    """A span in which the gateway neither answers its cloud nor controls the battery."""

    start: float
    end: float

    def covers(self, t: float) -> bool:
        """Whether the instant lies in it."""
        return self.start <= t < self.end


@dataclass(frozen=True)
class ModeByHand:
    """A span in which the battery is run in a mode that its owner chose, whatever events demand."""

    start: float
    end: float
    mode: str


@dataclass(frozen=True)
class Happenings:
    """Happenings at one site. opt_outs: instants at which the owner leaves the events that are known by then."""

    outages: tuple[Outage, ...] = ()
    modes: tuple[ModeByHand, ...] = ()
    opt_outs: tuple[float, ...] = ()

    def online_from(self, t: float) -> float:
        """The first instant from that one on at which the gateway answers."""
        while covering := [outage.end for outage in self.outages if outage.covers(t)]:
            t = max(covering)
        return t

    def outage_at(self, t: float) -> Outage | None:
        """The outage in that instant."""
        return next((outage for outage in self.outages if outage.covers(t)), None)

    def mode_at(self, t: float) -> str | None:
        """The mode that the owner has chosen by hand, the latest one."""
        modes = [by_hand.mode for by_hand in self.modes if by_hand.start <= t < by_hand.end]
        return modes[-1] if modes else None

    def with_outage(self, start: float, end: float) -> "Happenings":
        """The same, and an outage."""
        return replace(self, outages=(*self.outages, Outage(start, end)))

    def with_mode(self, start: float, end: float, mode: str) -> "Happenings":
        """The same, and a mode that the owner chooses by hand."""
        return replace(self, modes=(*self.modes, ModeByHand(start, end, mode)))

    def with_opt_out(self, at: float) -> "Happenings":
        """The same, and an owner who opts out."""
        return replace(self, opt_outs=(*self.opt_outs, at))
