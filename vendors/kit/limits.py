"""Limits that a vendor sets for its callers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a limit group: `parallel` concurrent calls, and a rate.

    group: the parts of a credential that share a quota; all parts if none is named.
    rate: the rate that the vendor publishes for all callers. The rate of a plan is learnt from the vendor's replies.
    """

    parallel: int = 4
    rate: Rate | None = None
    group: tuple[str, ...] = ()
