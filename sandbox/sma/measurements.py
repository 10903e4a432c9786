"""SMA's measurements: rows of some minutes stamped with their end, and rows of days, months and years.

Stamps are the plant's clock without an offset. A row of an inverter exists only while the sun is on it.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from flask import Response

from sandbox.replies import Refused, reply
from sandbox.sma.constants import BAD_REQUEST_STATUS, ENERGY_SETS, LAG_SECONDS, WEEK_BEGINS
from sandbox.sma.parameters import asked_for, parameter
from sandbox.sma.plants import Plant
from sandbox.sma.sets import PLANT_SET, Series, sets_of
from sandbox.times import Span, begin, day_start, following, local, spans, wall, zone_of

if TYPE_CHECKING:
    from sandbox.sma.dialect import Sma

# Period: the format of `Date`, the span that it names, the step of the rows, and the resolution's name.
_FINE = {"day": ("%Y-%m-%d", "day"), "week": ("%Y-%m-%d", WEEK_BEGINS)}
_COARSE = {
    "month": ("%Y-%m", "month", "day", "OneDay"),
    "year": ("%Y", "year", "month", "OneMonth"),
    "total": ("", "", "year", "OneYear"),
}
# How long a row lasts, by the resolution that is chosen: plants give rows of different lengths.
ROWS = {"FiveMinutes": 300, "OneMinute": 60, "FifteenMinutes": 900, "OneHour": 3600}


class Measurements:
    """The measurement endpoints of a cloud."""

    def __init__(self, cloud: "Sma") -> None:
        self._cloud = cloud

    def sets(self, device_id: str) -> Response:
        """The sets that the device offers."""
        plant = self._cloud.device_plant(device_id)
        return reply({**_heads(plant, device_id), "sets": list(sets_of(plant, device_id, self._cloud.further_sets))})

    def of_device(self, device_id: str, set_type: str, period: str) -> Response:
        """One set of one device."""
        plant = self._cloud.device_plant(device_id)
        offered = self._offered(set_type, sets_of(plant, device_id, self._cloud.further_sets))
        series = Series(plant, plant.device(device_id), offered, _in_wh(offered))
        return self._answer(_heads(plant, device_id), series, period)

    def of_plant(self, plant_id: str, set_type: str, period: str) -> Response:
        """One set of the plant."""
        plant = self._cloud.plant(plant_id)
        offered = self._offered(set_type, (PLANT_SET,))
        return self._answer({"plant": plant.head}, Series(plant, None, offered, _in_wh(offered)), period)

    def _offered(self, wanted: str, offered: Iterable[str]) -> str:
        """The set as SMA spells it. Raises Refused."""
        for name in offered:
            if name.lower() == wanted.lower():
                return name
        raise Refused(self._cloud.error(404, f"Set {wanted} not found"))

    def _answer(self, heads: dict[str, Any], series: Series, period: str) -> Response:
        rows, total, resolution = self._read(series, period.lower())
        answer = {**heads, "setType": series.set_type, "resolution": resolution, "set": rows}
        if asked_for("WithTotal"):
            answer["total"] = total
        return reply(answer)

    def _read(self, series: Series, period: str) -> tuple[list[dict[str, Any]], dict[str, float], str]:
        resolution = self._cloud.chosen["resolution"]
        row, zone = ROWS[resolution], zone_of(series.plant.site)
        ready = last_border(self._cloud.now - LAG_SECONDS, row, zone)
        begun = series.plant.site.operational_since.timestamp()
        if period == "recent":
            start, end = ready - row, ready
        elif period in _FINE:
            start, end = self._span(series, *_FINE[period])
        elif period in _COARSE:
            return self._coarse(series, period, begun, ready)
        else:
            raise Refused(self._cloud.error(BAD_REQUEST_STATUS, f"Unknown period {period}"))
        start, end = max(start, begun), min(end, ready)
        return list(_fine_rows(series, start, end, row)), _sum(series, start, end), resolution

    def _coarse(
        self, series: Series, period: str, begun: float, ready: float
    ) -> tuple[list[dict[str, Any]], dict[str, float], str]:
        form, span, step, resolution = _COARSE[period]
        zone = zone_of(series.plant.site)
        if form:
            first = self._date(form)
            until = following(first, span)
        else:
            first, until = begin(local(begun, zone).date(), "year"), local(ready, zone).date()
            until = following(until, "day")
        kept = [one for one in spans(first, until, step, zone) if one.end > begun and one.start < ready]
        rows = [_coarse_row(series, one, begun, ready) for one in kept if series.set_type in ENERGY_SETS]
        total = _sum(series, max(kept[0].start, begun), min(kept[-1].end, ready)) if kept else {}
        return rows, total, resolution

    def _span(self, series: Series, form: str, span: str) -> tuple[float, float]:
        zone = zone_of(series.plant.site)
        first = begin(self._date(form), span)
        return day_start(first, zone), day_start(following(first, span), zone)

    def _date(self, form: str) -> date:
        try:
            return datetime.strptime(parameter("Date"), form).date()
        except ValueError:
            raise Refused(self._cloud.error(BAD_REQUEST_STATUS, "Date is missing or malformed")) from None


def _heads(plant: Plant, device_id: str) -> dict[str, Any]:
    name = plant.entries[device_id]["name"]
    return {
        "plant": plant.head,
        "device": {"deviceId": device_id, "name": name, "timezone": plant.site.place.timezone},
    }


def _in_wh(set_type: str) -> bool:
    return set_type in ENERGY_SETS and asked_for("ReturnEnergyValues")


def _fine_rows(series: Series, start: float, end: float, row: int) -> Iterator[dict[str, Any]]:
    zone = zone_of(series.plant.site)
    before = last_border(start, row, zone)
    while (stamp := last_border(before + row, row, zone)) <= end:
        # Where the clock goes back by less than a row, the row is longer.
        stamp = stamp if stamp > before else before + row
        values = series.row(before, stamp)
        if values is not None:
            yield {"time": wall(stamp, zone), **values}
        before = stamp


def last_border(t: float, row: int, zone: tzinfo) -> float:
    """The last end of a row at or before the instant. Rows lie on the plant's clock, which may be half an hour off."""
    offset = (local(t, zone).utcoffset() or timedelta()).total_seconds()
    return row * ((t + offset) // row) - offset


def _coarse_row(series: Series, span: Span, begun: float, ready: float) -> dict[str, Any]:
    return {"time": f"{span.first}T00:00:00", **series.energies(max(span.start, begun), min(span.end, ready))}


def _sum(series: Series, start: float, end: float) -> dict[str, float]:
    return series.energies(start, end) if start < end else {}
