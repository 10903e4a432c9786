"""Measurements of a site's batteries, and bounds of the energy in a time that shares no bounds with the series."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
# Batteries exceed their rated power a little, and meters err.
PEAK = 1.1


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
    """The energy of one interval of the site's series."""

    start: datetime
    end: datetime
    charge_kwh: float
    discharge_kwh: float
    soc_percent: float | None = None
    """At its end, if the series has it."""

    @property
    def hours(self) -> float:
        return (self.end - self.start) / HOUR


@dataclass(frozen=True)
class Bounds:
    """The least and the most energy that can have flowed during some hours."""

    low_kwh: float
    high_kwh: float
    hours: float

    def minus(self, other: "Bounds") -> "Bounds":
        """The bounds of the difference."""
        return Bounds(self.low_kwh - other.high_kwh, self.high_kwh - other.low_kwh, self.hours)


@dataclass(frozen=True)
class Window:
    """A time that is looked at: parts of the first and the last flow may lie outside of it."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> float:
        return (self.end - self.start) / HOUR

    def of(self, flow: Flow) -> timedelta:
        """How much of a flow lies inside."""
        return max(min(flow.end, self.end) - max(flow.start, self.start), timedelta(0))

    def uncovered(self, series: Sequence[Flow]) -> timedelta:
        """How much of it the series leaves out."""
        return max(self.end - self.start - sum(map(self.of, series), timedelta(0)), timedelta(0))

    def parts(
        self, series: Sequence[Flow], energy: Callable[[Flow], float], rating_kw: float | None
    ) -> Iterator[Bounds]:
        """Bounds of each part of the window, by flow. Where a flow reaches outside, its energy may have flowed there,
        as far as the rated power permits; where the series has a gap, the battery may have been at its rated power."""
        peak_kw = float("inf") if rating_kw is None else rating_kw * PEAK
        for flow in series:
            inside, length = self.of(flow), flow.end - flow.start
            if not inside:
                continue
            low = high = energy(flow)
            if inside < length:
                low = max(0.0, low - peak_kw * ((length - inside) / HOUR))
                high = min(high, peak_kw * (inside / HOUR))
            yield Bounds(low, high, inside / HOUR)
        if gap := self.uncovered(series) / HOUR:
            yield Bounds(0.0, peak_kw * gap, gap)

    def whole(self, series: Sequence[Flow]) -> list[Flow]:
        """The flows that lie inside, from the beginning on; none if there is a gap before the first or after it."""
        if self.uncovered(series):
            return []
        return [flow for flow in series if self.start <= flow.start and flow.end <= self.end]

    def total(self, series: Sequence[Flow], energy: Callable[[Flow], float], rating_kw: float | None) -> Bounds:
        """Bounds of the whole window."""
        parts = list(self.parts(series, energy, rating_kw))
        return Bounds(sum(part.low_kwh for part in parts), sum(part.high_kwh for part in parts), self.hours)


def charge(flow: Flow) -> float:
    """The energy that was charged, in kWh."""
    return flow.charge_kwh


def discharge(flow: Flow) -> float:
    """The energy that was discharged, in kWh."""
    return flow.discharge_kwh


def throughput(flow: Flow) -> float:
    """The energy that flowed in either direction, in kWh."""
    return flow.charge_kwh + flow.discharge_kwh


def charges(readings: Sequence[Reading], series: Sequence[Flow], window: Window) -> list[tuple[datetime, float]]:
    """The states of charge that were seen during a window, in their order."""
    measured = [(reading.at, reading.soc_percent) for reading in readings]
    ends = [(flow.end, flow.soc_percent) for flow in series]
    return sorted((at, soc) for at, soc in measured + ends if soc is not None and window.start < at <= window.end)
