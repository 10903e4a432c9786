"""What a vendor allows to those who call it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a vendor allows to one limit group: `parallel` calls at a time, and a rate.

    group: the parts of a credential that share a quota; all of them when none is named.
    rate: only what the vendor publishes for everyone; what a plan allows is learnt from the vendor's answers.
    """

    parallel: int = 4
    rate: Rate | None = None
    group: tuple[str, ...] = ()
