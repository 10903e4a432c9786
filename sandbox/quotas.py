"""Quotas: how many calls a credential may make in a period. There are none by default."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.fields import BadField, an_object, number, whole

# A period of a day or more is what vendors call a plan: credits per month, calls per day.
PLAN_SECONDS = 86_400.0


@dataclass(frozen=True)
class Limit:
    """A number of calls in a number of seconds."""

    calls: int
    seconds: float

    @property
    def is_plan(self) -> bool:
        """Whether the vendor reports a spent plan when this limit is reached, and not a rate that is too high."""
        return self.seconds >= PLAN_SECONDS


@dataclass(frozen=True)
class Spent:
    """A limit that has been reached, and the seconds until its period ends."""

    limit: Limit
    wait: float


@dataclass
class _Period:
    ends: float
    calls: int = 0


def parse(raw: Any) -> tuple[Limit, ...]:
    """Limits from JSON: `{"calls": n, "seconds": s}`, a list of such objects, or null for none. Raises BadField."""
    if raw is None:
        return ()
    return tuple(_limit(limit) for limit in (raw if isinstance(raw, list) else [raw]))


def _limit(raw: Any) -> Limit:
    members = an_object(raw, {"calls", "seconds"})
    for name in ("calls", "seconds"):
        if name not in members:
            raise BadField(name, "missing")
    calls = whole(0, 10**9)("calls", members["calls"])
    return Limit(calls, number(0.001, 10**9)("seconds", members["seconds"]))


class Quotas:
    """The limits of each vendor and what each credential has used of them. Refused calls use nothing."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._lock = threading.Lock()
        self._limits: dict[str, tuple[Limit, ...]] = {}
        self._periods: dict[tuple[str, str, Limit], _Period] = {}

    def set(self, vendor: str, limits: Iterable[Limit]) -> None:
        """Replaces the vendor's limits and forgets what was used."""
        with self._lock:
            self._limits[vendor] = tuple(limits)
            self._periods = {key: period for key, period in self._periods.items() if key[0] != vendor}

    def take(self, vendor: str, credential: str, epoch_seconds: float = 0.0) -> Spent | None:
        """Counts one call against every limit, or returns the limit that is spent.

        epoch_seconds: the time now, for vendors whose periods begin on the clock, such as at each full minute. By
        default a period begins with its first call.
        """
        with self._lock:
            periods = self._current(vendor, credential, epoch_seconds)
            for limit, period in periods:
                if period.calls >= limit.calls:
                    return Spent(limit, period.ends - self._ticks())
            for _, period in periods:
                period.calls += 1
            return None

    def left(self, vendor: str, credential: str) -> tuple[int, int] | None:
        """Calls allowed, and calls left now, in the shortest period that is no plan; None if there is no such limit."""
        with self._lock:
            short = [(limit, period) for limit, period in self._current(vendor, credential) if not limit.is_plan]
            if not short:
                return None
            limit, period = min(short, key=lambda pair: pair[0].seconds)
            return limit.calls, max(0, limit.calls - period.calls)

    def _current(self, vendor: str, credential: str, epoch_seconds: float = 0.0) -> list[tuple[Limit, _Period]]:
        now = self._ticks()
        periods = []
        for limit in self._limits.get(vendor, ()):
            key = (vendor, credential, limit)
            if key not in self._periods or self._periods[key].ends <= now:
                self._periods[key] = _Period(now + limit.seconds - epoch_seconds % limit.seconds)
            periods.append((limit, self._periods[key]))
        return periods
