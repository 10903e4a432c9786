"""The span of time that a request for telemetry asks for, and the rows in it."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any, NamedTuple

from flask import request

from sandbox.enphase.systems.constants import DAY_SECONDS
from sandbox.enphase.systems.requests import Unprocessable, date_parameter, epoch_parameter
from sandbox.enphase.systems.state import METER_ROW, ROW, State
from sandbox.times import day_start, local, zone_of

# A granularity is the length of the window, not the step of its rows.
LENGTHS = {"5mins": ROW, "15mins": METER_ROW, "day": DAY_SECONDS, "week": 7 * DAY_SECONDS}
DURATIONS = {"5mins": ROW, "15mins": METER_ROW}
OLDEST_SECONDS = 731 * DAY_SECONDS


class Window(NamedTuple):
    """Start and end in epoch seconds; the zone is that of dates in the answer, None when it has epoch seconds."""

    start: float
    end: float
    granularity: str
    zone: tzinfo | None

    def head(self) -> dict[str, Any]:
        """As the answer tells it."""
        if self.zone is None:
            return {"start_at": int(self.start), "end_at": int(self.end)}
        return {
            "start_date": local(self.start, self.zone).isoformat(timespec="seconds"),
            "end_date": local(self.end, self.zone).isoformat(timespec="seconds"),
        }

    def rows(self, now: State, step: int) -> Iterator[tuple[float, float]]:
        """Start and end of each row that the system has reported."""
        end = step * (max(self.start, now.operational_at) // step) + step
        while end <= min(self.end, now.ready):
            yield end - step, end
            end += step


def requested_window(now: State, clock: float) -> Window:
    """The window of the request: from midnight today, if it names no start. Raises Unprocessable."""
    granularity = request.args.get("granularity", "day")
    if granularity not in LENGTHS:
        raise Unprocessable("granularity", f"Granularity value must be one of {', '.join(LENGTHS)}")
    zone = zone_of(now.seen.site)
    start, is_dated = _start(now, clock)
    # Before its first day a system has nothing to show.
    start = max(start, day_start(local(now.operational_at, zone).date(), zone))
    ends = [clock, start + LENGTHS[granularity]]
    end_at, end_date = epoch_parameter("end_at"), date_parameter("end_date")
    ends += [float(end_at)] if end_at is not None else []
    ends += [day_start(end_date, zone)] if end_date else []
    return Window(start, max(start, min(ends)), granularity, zone if is_dated else None)


def outside(now: State, start: float, kind: str = "span") -> Unprocessable:
    """The refusal for a time of which the system has no rows."""
    span = f":first_interval=>{now.operational_at}, :last_interval=>{now.ready}"
    text = f"Requested date range is invalid for this system. {{:start_at=>{int(start)}, {span}}}"
    return Unprocessable(kind, f"Invalid request because of '{text}'")


def step_of(usual: int, allowed: tuple[str, ...]) -> int:
    """Seconds of a row, by `interval_duration` where it may be given. Raises Unprocessable."""
    duration = request.args.get("interval_duration")
    if duration is None or not allowed:
        return usual
    if duration not in allowed:
        raise Unprocessable("duration", f"Interval duration {duration} is not available")
    return DURATIONS[duration]


def _start(now: State, clock: float) -> tuple[float, bool]:
    zone = zone_of(now.seen.site)
    start_at, start_date = epoch_parameter("start_at"), date_parameter("start_date")
    first = start_date or local(clock, zone).date()
    start = float(start_at) if start_at is not None else day_start(first, zone)
    if start > clock:
        raise Unprocessable("future", "Invalid request because of 'Requested date is in the future'")
    if start < clock - OLDEST_SECONDS:
        raise outside(now, start, "age")
    return start, start_at is None and start_date is not None
