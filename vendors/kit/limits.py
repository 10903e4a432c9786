"""Limits that a vendor sets for its callers, and the calls that lists take of them."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class ReportedQuota:
    """A quota as the headers of a vendor's answer state it: so many calls a period, of which `left` are left."""

    rate: Rate
    left: int


class LimitSource(StrEnum):
    """From where a limit is known."""

    PUBLISHED = "published"
    """The vendor publishes it for all callers."""
    VENDOR = "vendor"
    """The vendor's answers state it."""
    BOUND = "bound"
    """The operator of this server has set it."""


@dataclass(frozen=True, slots=True)
class ListCalls:
    """The calls that a vendor's lists of sites and of devices take, in words for people."""

    sites: str = ""
    devices: str = ""
