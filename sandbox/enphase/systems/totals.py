"""Totals: the summary of a system, and its energy day by day since the beginning."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from flask import Response, request

from sandbox.enphase.systems import rows
from sandbox.enphase.systems.cloud import EnphaseCloud
from sandbox.enphase.systems.requests import Unprocessable, date_parameter
from sandbox.enphase.systems.site import PANEL_W
from sandbox.enphase.systems.state import ROW, State
from sandbox.replies import reply
from sandbox.times import day_start, local, zone_of

DAY = timedelta(days=1)
Counter = Callable[[float], int]


class Totals:
    """The endpoints, over one cloud."""

    def __init__(self, cloud: EnphaseCloud) -> None:
        self._cloud = cloud

    def summary(self, system_id: str) -> Response:
        """The system on one day, today by default. Live values are 0 on other days."""
        now = self._cloud.system(system_id)
        zone, today = zone_of(now.seen.site), self._today(now)
        summary_date = date_parameter("summary_date") or today
        if summary_date > today:
            raise Unprocessable("future", "Requested date is in the future")
        midnight, end = day_start(summary_date, zone), day_start(summary_date + DAY, zone)
        counter = self._production(now)
        is_today = summary_date == today
        energies = {
            "current_power": round(now.power_w(now.ready, ROW)) if is_today else 0,
            "energy_lifetime": counter(midnight),
            "energy_today": counter(end) - counter(midnight),
        }
        return reply({"system_id": now.seen.system_id, **energies, **_facts(now, is_today, summary_date)})

    def production_lifetime(self, system_id: str) -> Response:
        """Energy of each day. With a meter, its values stand from the first full day on."""
        now = self._cloud.system(system_id)
        first, days = self._days(now)
        answer: dict[str, Any] = {"system_id": now.seen.system_id, "start_date": _text(first)}
        series = {"production": self._production(now)}
        if now.seen.is_metered:
            answer["meter_start_date"] = (self._first_day(now) + DAY).isoformat()
        if request.args.get("production") == "all":
            series["micro_production"] = now.produced_wh
            if now.seen.is_metered:
                series["meter_production"] = self._production(now)
        answer |= {name: _each(counter, days) for name, counter in series.items()}
        return reply(answer | {"meta": now.meta()})

    def battery_lifetime(self, system_id: str) -> Response:
        """Energy into and out of the batteries on each day; nothing without them."""
        now = self._cloud.system(system_id)
        first, days = self._days(now)
        if not now.seen.batteries:
            first, days = None, []

        def counter(quantity: str) -> Counter:
            return lambda t: now.seen.view.site_reading_wh(quantity, min(t, now.ready))

        answer = {name: _each(counter(name), days) for name in ("discharge", "charge")}
        return reply({"system_id": now.seen.system_id, "start_date": _text(first), **answer, "meta": now.meta()})

    def _production(self, now: State) -> Counter:
        has_loss = "meter_loss" in self._cloud.switched_on
        return (lambda t: rows.metered_wh(now, t, has_loss)) if now.seen.is_metered else now.produced_wh

    def _days(self, now: State) -> tuple[date | None, list[float]]:
        """The first of the days asked for, and the borders of all; none when they lie before the system's time."""
        today = self._today(now)
        start, end = date_parameter("start_date"), date_parameter("end_date")
        if max(start or today, end or today) > today:
            raise Unprocessable("future", "Requested date is in the future")
        if start and end and start > end:
            raise Unprocessable("range", "Invalid request because of 'Invalid date/time range'")
        first = max(start or self._first_day(now), self._first_day(now))
        last = end or (today if first == today else today - DAY)
        if first > last:
            return None, []
        zone = zone_of(now.seen.site)
        return first, [day_start(first + index * DAY, zone) for index in range((last - first).days + 2)]

    def _today(self, now: State) -> date:
        return local(self._cloud.now, zone_of(now.seen.site)).date()

    def _first_day(self, now: State) -> date:
        return local(now.operational_at, zone_of(now.seen.site)).date()


def _each(counter: Counter, borders: list[float]) -> list[int]:
    readings = [counter(t) for t in borders]
    return [after - before for before, after in pairwise(readings)]


def _facts(now: State, is_today: bool, summary_date: date) -> dict[str, Any]:
    modules = len(now.seen.inverters) if is_today else 0
    battery = now.seen.site.battery
    capacity_kwh = battery.capacity_kwh if battery else 0.0
    facts: dict[str, Any] = {
        "last_interval_end_at": now.last_light,
        "last_report_at": now.last_report,
        "modules": modules,
        "operational_at": now.operational_at,
        "size_w": modules * PANEL_W,
        "source": "meter" if now.seen.is_metered else "microinverters",
        "status": now.status,
        "summary_date": summary_date.isoformat(),
    }
    for name in ("battery_charge_w", "battery_discharge_w"):
        facts[name] = now.seen.rated_w
    return facts | {"battery_capacity_wh": round(1000 * capacity_kwh)}


def _text(first: date | None) -> str | None:
    return first.isoformat() if first else None
