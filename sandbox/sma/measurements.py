"""SMA's measurements: rows of some minutes stamped with their end, and rows of days, months and years.

Stamps are the plant's clock without an offset. A row of an inverter exists only while the sun is on it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sandbox.replies import Refused
from sandbox.sma.constants import BAD_REQUEST_STATUS, ENERGY_SETS, LAG_SECONDS, WEEK_BEGINS
from sandbox.sma.errors import error
from sandbox.sma.parameters import asked_for, parameter
from sandbox.sma.plants import Plant
from sandbox.sma.sets import PLANT_SET, Series, sets_of
from sandbox.times import Span, calendar_spans, day_start, local, next_period, period_start, wall, zone_of

# Period: the format of `Date`, the span that it names, the step of the rows, and the resolution's name.
FINE_PERIODS = {"day": ("%Y-%m-%d", "day"), "week": ("%Y-%m-%d", WEEK_BEGINS)}
COARSE_PERIODS = {
    "month": ("%Y-%m", "month", "day", "OneDay"),
    "year": ("%Y", "year", "month", "OneMonth"),
    "total": ("", "", "year", "OneYear"),
}
# How long a row lasts, by the resolution that is chosen: plants give rows of different lengths.
ROWS = {"FiveMinutes": 300, "OneMinute": 60, "FifteenMinutes": 900, "OneHour": 3600}


@dataclass(frozen=True)
class Measurements:
    """The measurements of plants and devices, as of `now`.

    resolution: a name of ROWS. further_sets: those that an inverter offers besides the usual ones.
    """

    now: float
    resolution: str
    further_sets: tuple[str, ...]

    def sets(self, plant: Plant, device_id: str) -> dict[str, Any]:
        """The sets that the device offers."""
        return {**_heads(plant, device_id), "sets": list(sets_of(plant, device_id, self.further_sets))}

    def of_device(self, plant: Plant, device_id: str, set_type: str, period: str) -> dict[str, Any]:
        """One set of one device. Raises Refused."""
        offered = _offered(set_type, sets_of(plant, device_id, self.further_sets))
        series = Series(plant, plant.device(device_id), offered, _in_wh(offered))
        return {**_heads(plant, device_id), **self._members(series, period.lower())}

    def of_plant(self, plant: Plant, set_type: str, period: str) -> dict[str, Any]:
        """One set of the plant. Raises Refused."""
        offered = _offered(set_type, (PLANT_SET,))
        return {"plant": plant.head, **self._members(Series(plant, None, offered, _in_wh(offered)), period.lower())}

    def _members(self, series: Series, period: str) -> dict[str, Any]:
        rows, total, resolution = self._read(series, period)
        members = {"setType": series.set_type, "resolution": resolution, "set": rows}
        return members | ({"total": total} if asked_for("WithTotal") else {})

    def _read(self, series: Series, period: str) -> tuple[list[dict[str, Any]], dict[str, float], str]:
        row_seconds, zone = ROWS[self.resolution], zone_of(series.plant.site)
        ready = last_border(self.now - LAG_SECONDS, row_seconds, zone)
        begun = series.plant.site.operational_since.timestamp()
        if period == "recent":
            start, end = ready - row_seconds, ready
        elif period in FINE_PERIODS:
            start, end = _span(zone, *FINE_PERIODS[period])
        elif period in COARSE_PERIODS:
            return _coarse(series, period, begun, ready)
        else:
            raise Refused(error(BAD_REQUEST_STATUS, f"Unknown period {period}"))
        start, end = max(start, begun), min(end, ready)
        return list(_fine_rows(series, start, end, row_seconds)), _sum(series, start, end), self.resolution


def _offered(set_type: str, offered: Iterable[str]) -> str:
    """The set as SMA spells it. Raises Refused."""
    for name in offered:
        if name.lower() == set_type.lower():
            return name
    raise Refused(error(404, f"Set {set_type} not found"))


def _coarse(
    series: Series, period: str, begun: float, ready: float
) -> tuple[list[dict[str, Any]], dict[str, float], str]:
    date_format, period_span, step, resolution = COARSE_PERIODS[period]
    zone = zone_of(series.plant.site)
    if date_format:
        first = _date(date_format)
        until = next_period(first, period_span)
    else:
        first, until = period_start(local(begun, zone).date(), "year"), next_period(local(ready, zone).date(), "day")
    known = [span for span in calendar_spans(first, until, step, zone) if span.end > begun and span.start < ready]
    rows = [_coarse_row(series, span, begun, ready) for span in known if series.set_type in ENERGY_SETS]
    total = _sum(series, max(known[0].start, begun), min(known[-1].end, ready)) if known else {}
    return rows, total, resolution


def _span(zone: tzinfo, date_format: str, step: str) -> tuple[float, float]:
    first = period_start(_date(date_format), step)
    return day_start(first, zone), day_start(next_period(first, step), zone)


def _date(date_format: str) -> date:
    try:
        return datetime.strptime(parameter("Date"), date_format).date()
    except ValueError:
        raise Refused(error(BAD_REQUEST_STATUS, "Date is missing or malformed")) from None


def _heads(plant: Plant, device_id: str) -> dict[str, Any]:
    name = plant.entries[device_id]["name"]
    return {
        "plant": plant.head,
        "device": {"deviceId": device_id, "name": name, "timezone": plant.site.place.timezone},
    }


def _in_wh(set_type: str) -> bool:
    return set_type in ENERGY_SETS and asked_for("ReturnEnergyValues")


def _fine_rows(series: Series, start: float, end: float, row_seconds: int) -> Iterator[dict[str, Any]]:
    zone = zone_of(series.plant.site)
    before = last_border(start, row_seconds, zone)
    while (stamp := last_border(before + row_seconds, row_seconds, zone)) <= end:
        # Where the clock goes back by less than a row, the row is longer.
        stamp = stamp if stamp > before else before + row_seconds
        values = series.row(before, stamp)
        if values is not None:
            yield {"time": wall(stamp, zone), **values}
        before = stamp


def last_border(t: float, row_seconds: int, zone: tzinfo) -> float:
    """The last end of a row at or before the instant. Rows lie on the plant's clock, which may be half an hour off."""
    offset = (local(t, zone).utcoffset() or timedelta()).total_seconds()
    return row_seconds * ((t + offset) // row_seconds) - offset


def _coarse_row(series: Series, span: Span, begun: float, ready: float) -> dict[str, Any]:
    return {"time": f"{span.first}T00:00:00", **series.energies(max(span.start, begun), min(span.end, ready))}


def _sum(series: Series, start: float, end: float) -> dict[str, float]:
    return series.energies(start, end) if start < end else {}
