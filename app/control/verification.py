"""Decides whether a battery has carried out an order, from what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vendors.kit.control import Interval


class Proof(StrEnum):
    """How an order was carried out."""

    VERIFIED = "verified"
    NOT_APPLIED = "not-applied"
    UNPROVEN = "unproven"
    """Too little was measured to say."""


class Rule(StrEnum):
    """What decided."""

    ENERGY = "energy"
    """The energy of the whole interval, within 5 % of power x time."""
    POWER = "power"
    """Measured power of the right sign and size, in time."""
    LIMIT = "limit"
    """The right sign until the charge was at its limit."""
    DIRECTION = "direction"
    """The right sign or rest, never the opposite."""
    IDLE = "idle"
    """Less than 3 % of the rated power."""
    UNSEEN = "unseen"
    """No measurement in time."""


@dataclass(frozen=True)
class Reading:
    """The state of a site's batteries at one time."""

    at: datetime
    """When it was measured, not when it was read."""
    kw: float
    """Positive while discharging, negative while charging."""
    soc_percent: float | None = None


@dataclass(frozen=True)
class Flow:
    """What flowed during one interval of the site's series."""

    start: datetime
    end: datetime
    charge_kwh: float
    discharge_kwh: float
    soc_percent: float | None = None
    """At its end, if the series has it."""


@dataclass(frozen=True)
class Verdict:
    """What is known of an order, by which rule and from which numbers."""

    state: Proof
    rule: Rule
    numbers: Mapping[str, float | str | None]
    is_final: bool = True
    """False while the order runs: it is carried out so far, and what follows may still show otherwise."""


def verdict(
    interval: Interval,
    rating_kw: float | None,
    readings: Sequence[Reading],
    series: Sequence[Flow] | None,
    latency: timedelta,
    now: datetime,
) -> Verdict | None:
    """The verdict on an order; None while it cannot be given. series: None if the vendor has none, empty if it has none
    yet. latency: the longest time from the start until the power can be measured."""
    raise NotImplementedError
