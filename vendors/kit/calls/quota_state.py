"""What is known of the quota of a limit group, without a call. None is unknown, and times are epoch seconds."""

from dataclasses import dataclass

from vendors.kit.limits import LimitSource, Rate, ReportedQuota

# If the rate allows the next call within this time, the call sleeps until then; otherwise it raises Held.
PACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of a group that count now. frees_at: when the first of them no longer counts; None without any."""

    spent: int
    frees_at: float | None


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold of a group. source: VENDOR if the vendor has named the time, BOUND if this server has chosen it."""

    until: float
    source: LimitSource


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a limit is spent. resets_at: when calls become free again."""

    rate: Rate
    source: LimitSource
    left: int
    resets_at: float | None

    @property
    def spent(self) -> int:
        return self.rate.calls - self.left


@dataclass(frozen=True, slots=True)
class QuotaState:
    """What is known at the time `now`.

    kept: the limit that this server keeps. reported: what the vendor's answers state; calls beyond it are made.
    """

    now: float
    kept: Standing | None
    reported: ReportedQuota | None
    hold: Hold | None

    @property
    def standing(self) -> Standing | None:
        """The limit of which fewer calls are left."""
        if self.reported is None or (self.kept and self.kept.left <= self.reported.left):
            return self.kept
        # Whether the period slides, and when it began, is not reported.
        return Standing(self.reported.rate, LimitSource.VENDOR, self.reported.left, None)

    @property
    def refuses_after(self) -> int | None:
        """The number of calls after which further calls are refused, and do not only wait for a moment."""
        if self.hold:
            return 0
        return self.kept.left if self.kept and self.kept.rate.seconds > PACE_SECONDS else None

    @property
    def refuses_until(self) -> float | None:
        """When such calls would be made again."""
        if self.hold:
            return self.hold.until
        return (self.kept.resets_at or self.now + self.kept.rate.seconds) if self.kept else None
