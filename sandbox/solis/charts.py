"""The charts: rows of an inverter or a station over a day, month, year or lifetime, and the energies of stations.

In chart rows `x` is W or kWh, and `x` times `xPec` is the amount in `xStr`. Members without `xStr` are W or kWh.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import partial
from typing import Any

from flask import Response

from sandbox.clock import Clock
from sandbox.replies import Refused
from sandbox.solis import constants
from sandbox.solis.account import Account
from sandbox.solis.constants import CHARGING_SIGN, LAG_SECONDS
from sandbox.solis.envelope import failure, member, paged, success
from sandbox.solis.inverters import LIFETIME_STEP_WH, Inverter, Station
from sandbox.times import day_start, local, next_period, period_start

ROW, NOON = 300, 12 * 3600
CLOUD_ZONE = timezone(timedelta(hours=8))
# Chart: the body's member that names its span, that member's format, the span, and the step of the rows.
FORMS = {
    "Month": ("month", "%Y-%m", "month", "day"),
    "Year": ("year", "%Y", "year", "month"),
}
LISTS = {"Day": ("%Y-%m-%d", "day"), "Month": ("%Y-%m", "month"), "Year": ("%Y", "year")}
DATE_FORMS = {
    "inverter": {"day": "%Y-%m-%d", "month": "%Y-%m"},
    "station": {"day": "%Y-%m-%d", "month": "%Y-%m-%d"},
}


class Charts:
    """The chart endpoints of one account."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self._account = account
        self._clock = clock

    def calls(self) -> dict[str, Callable[[], Response]]:
        """Endpoint name to its answer."""
        calls: dict[str, Callable[[], Response]] = {
            "inverterDay": self._inverter_day,
            "stationDay": self._station_day,
        }
        for name in ("Month", "Year", "All"):
            calls[f"inverter{name}"] = partial(self._chart, "inverter", name)
            calls[f"station{name}"] = partial(self._chart, "station", name)
        for name in LISTS:
            calls[f"station{name}EnergyList"] = partial(self._energy_list, name)
        return calls

    def _inverter_day(self) -> Response:
        unit = self._account.requested_unit()
        zone, start = _asked_day()
        stamps = unit.stamps(start, start + 86_400, self._clock.now())
        return success([_day_row(unit, stamp, zone) for stamp in stamps])

    def _station_day(self) -> Response:
        units = self._account.requested_station().units
        zone, start = _asked_day()
        until = min(start + 86_400, self._clock.now() - LAG_SECONDS)
        times = (start + ROW * index for index in range(1, int(until - start) // ROW + 1))
        return success([_station_row(units, t, zone) for t in times if any(unit.reports(t) for unit in units)])

    def _chart(self, owner: str, name: str) -> Response:
        units = (self._account.requested_unit(),) if owner == "inverter" else self._account.requested_station().units
        begun = min(unit.begun for unit in units)
        if name == "All":
            first, until = period_start(local(begun, units[0].zone).date(), "year"), self._today(units[0], 1)
            step, forms = "year", {}
        else:
            field, form, span, step = FORMS[name]
            first = _date(field, form)
            until, forms = min(next_period(first, span), self._today(units[0], 1)), DATE_FORMS[owner]
        of_whom = {"inverterId": units[0].device.native["id"]} if owner == "inverter" else {}
        rows = (_energy_row(units, day, step, forms, self._clock.now()) for day in _firsts(first, until, step))
        return success([{**of_whom, **row} for row in rows if row is not None])

    def _energy_list(self, name: str) -> Response:
        form, step = LISTS[name]
        first = _date("time", form)
        station_ids = [station_id for station_id in member("stationIds").split(",") if station_id] or list(
            self._account.stations
        )
        chosen, page = paged(
            [self._account.stations[station_id] for station_id in station_ids if station_id in self._account.stations]
        )
        return success({"records": list(self._list_rows(chosen, first, step)), **page})

    def _list_rows(self, stations: Iterable[Station], first: date, step: str) -> Iterator[dict[str, Any]]:
        for station in stations:
            row = _energy_row(station.units, first, step, DATE_FORMS["station"], self._clock.now())
            if row is not None:
                yield {**row, "id": station.site_id}

    def _today(self, unit: Inverter, plus: int) -> date:
        return local(self._clock.now(), unit.zone).date() + timedelta(days=plus)


def _date(name: str, form: str) -> date:
    try:
        return datetime.strptime(member(name), form).date()
    except ValueError:
        raise Refused(failure(constants.BAD_PARAMETER, f"{name} is missing or malformed")) from None


def _asked_day() -> tuple[timezone, float]:
    """The zone of the request, and the first instant of its day there."""
    try:
        zone = timezone(timedelta(hours=float(member("timeZone"))))
    except ValueError:
        raise Refused(failure(constants.BAD_PARAMETER, "timeZone is missing or malformed")) from None
    return zone, day_start(_date("time", "%Y-%m-%d"), zone)


def _firsts(first: date, until: date, step: str) -> Iterator[date]:
    while first < until:
        yield first
        first = next_period(first, step)


def _day_row(unit: Inverter, stamp: float, zone: timezone) -> dict[str, Any]:
    moment = local(stamp, zone)
    pv, charge, discharge = (unit.watts(quantity, stamp) for quantity in ("pv", "charge", "discharge"))
    row: dict[str, Any] = {
        "dataTimestamp": str(int(stamp) * 1000),
        "timeStr": f"{moment:%Y-%m-%d %H:%M:%S}",
        "acOutputType": 1,
        "dcInputType": 1,
        "state": 1,
        "time": f"{moment:%H:%M:%S}",
        "pac": round(pv + discharge - charge, 1),
        "pacStr": "kW",
        "pacPec": "0.001",
        "eToday": round(unit.kwh("pv", unit.midnight(stamp), stamp), 1),
        "eTotal": unit.lifetime_kwh("pv", stamp, LIFETIME_STEP_WH),
        "pow1": round(pv, 1),
    }
    if unit.battery is None:
        return {**row, "batteryCapacitySoc": 0.0, "batteryPower": 0.0}
    return row | _battery_row(unit, stamp, charge, discharge)


def _battery_row(unit: Inverter, stamp: float, charge: float, discharge: float) -> dict[str, Any]:
    flow = charge - discharge if unit.site.number % 2 else charge + discharge
    row = {
        "batteryCapacitySoc": unit.soc(stamp),
        "batteryPower": round(flow, 1),
        "batteryVoltage": constants.BATTERY_VOLTS,
        "bstteryCurrent": round(CHARGING_SIGN * (charge - discharge) / constants.BATTERY_VOLTS, 2),
    }
    for quantity, word in (("charge", "Charge"), ("discharge", "Discharge")):
        row[f"batteryToday{word}Energy"] = round(unit.kwh(quantity, unit.midnight(stamp), stamp), 1)
        row[f"batteryTotal{word}Energy"] = round(unit.lifetime_kwh(quantity, stamp), 1)
    return row


def _station_row(units: Sequence[Inverter], t: float, zone: timezone) -> dict[str, Any]:
    pv, charge, discharge = (sum(unit.watts(name, t) for unit in units) for name in ("pv", "charge", "discharge"))
    return {
        "batteryPower": round(charge - discharge, 1),
        "batteryPowerZheng": round(charge, 1),
        "batteryPowerFu": round(discharge, 1),
        "produceEnergy": round(pv, 1),
        "time": int(t) * 1000,
        "timeStr": f"{local(t, zone):%H:%M:%S}",
        "power": round(pv, 1),
        "powerStr": "kW",
        "powerPec": "0.001",
        "timeZone": 8,
    }


def _energy_row(
    units: Sequence[Inverter], first: date, step: str, forms: dict[str, str], now: float
) -> dict[str, Any] | None:
    """The energies of a day, month or year of the inverters' clocks; None before the first and after the last."""
    pv, charge, discharge = (_energy_of(units, name, first, step, now) for name in ("pv", "charge", "discharge"))
    if pv is None or charge is None or discharge is None:
        return None
    unit, pec = ("kWh", "1") if step == "day" else ("MWh", "0.001")
    rated = sum(unit.device.rated_kw or 0.0 for unit in units) or 1.0
    return {
        "id": str(int(units[0].device.native["id"]) + first.toordinal()),
        "energy": round(pv, 1),
        "energyStr": unit,
        "energyPec": pec,
        "fullHour": round(pv / rated, 2),
        "date": int(day_start(first, CLOUD_ZONE) + NOON) * 1000,
        **({"dateStr": first.strftime(forms[step])} if step in forms else {"year": first.year}),
        "timeZone": 8,
        "batteryChargeEnergy": round(charge, 1),
        "batteryDischargeEnergy": round(discharge, 1),
        "gridPurchasedEnergy": 0.0,
        "gridSellEnergy": 0.0,
        "homeLoadEnergy": 0.0,
        "errorFlag": 0,
    }


def _energy_of(units: Sequence[Inverter], quantity: str, first: date, step: str, now: float) -> float | None:
    total, known = 0.0, False
    for unit in units:
        start = max(day_start(first, unit.zone), unit.begun)
        end = min(day_start(next_period(first, step), unit.zone), now - LAG_SECONDS)
        if start < end:
            total, known = total + unit.kwh(quantity, start, end), True
    return total if known else None
