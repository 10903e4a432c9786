"""SMA's measurement sets: rows of five minutes stamped with their end, and rows of days, months and years.

Stamps are the plant's clock without an offset. A row of an inverter exists only while the sun is on it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import Response

from sandbox.replies import Refused, reply
from sandbox.sma.constants import BAD_REQUEST_STATUS, ENERGY_SETS, LAG_SECONDS, WEEK_BEGINS
from sandbox.sma.parameters import asked_for, parameter
from sandbox.sma.plants import Plant
from sandbox.times import Span, begin, day_start, following, local, spans, wall, zone_of
from simulation import Device

if TYPE_CHECKING:
    from sandbox.sma.dialect import Sma

_ROW = 300
# Period: the format of `Date`, the span that it names, the step of the rows, and the resolution's name.
_FINE = {"day": ("%Y-%m-%d", "day"), "week": ("%Y-%m-%d", WEEK_BEGINS)}
_COARSE = {
    "month": ("%Y-%m", "month", "day", "OneDay"),
    "year": ("%Y", "year", "month", "OneMonth"),
    "total": ("", "", "year", "OneYear"),
}
_DEVICE_SETS = {"solar_inverter": "EnergyAndPowerPv", "battery": "EnergyAndPowerBattery"}
_PLANT_SET = "EnergyBalance"

_Amount = Callable[[str], float]


@dataclass(frozen=True)
class Series:
    """The rows of one set of a plant, or of one of its devices."""

    plant: Plant
    device: Device | None
    in_wh: bool

    def row(self, start: float, end: float) -> dict[str, Any] | None:
        """The values of five minutes; None while the device is silent."""
        site = self.plant.site
        if self.device and self.device.kind == "solar_inverter" and site.pv_kwh(end) <= site.pv_kwh(start):
            return None
        values = self._values(self._wh(start, end) if self.in_wh else self._watts(start, end))
        soc = site.soc_percent(end)
        if "batteryCharging" in values and soc is not None:
            values["batteryStateOfCharge"] = round(soc, 2)
        return values

    def energies(self, start: float, end: float) -> dict[str, float]:
        """The energies of any span, in Wh."""
        return self._values(self._wh(start, end))

    def _wh(self, start: float, end: float) -> _Amount:
        view, site = self.plant.view, self.plant.site

        def amount(quantity: str) -> float:
            if quantity == "load":
                return float(round(1000 * (site.load_kwh(end) - site.load_kwh(start))))
            if self.device is None:
                return float(view.site_energy_wh(quantity, start, end))
            return float(view.energy_wh(self.device, quantity, start, end))

        return amount

    def _watts(self, start: float, end: float) -> _Amount:
        view, site = self.plant.view, self.plant.site

        def amount(quantity: str) -> float:
            if quantity == "load":
                return round(3_600_000 * (site.load_kwh(end) - site.load_kwh(start)) / (end - start), 3)
            return round(view.power_w(self.device, quantity, end, over=end - start), 3)

        return amount

    def _values(self, amount: _Amount) -> dict[str, float]:
        if self.device is None:
            return _balance(amount, bool(self.plant.batteries))
        if self.device.kind == "solar_inverter":
            return {"pvGeneration": amount("pv")}
        return {"batteryCharging": amount("charge"), "batteryDischarging": amount("discharge")}


def _balance(amount: _Amount, has_battery: bool) -> dict[str, float]:
    pv, load, charge, discharge = amount("pv"), amount("load"), amount("charge"), amount("discharge")
    net = pv + discharge - charge - load
    feed_in, drawn = round(max(net, 0.0), 3), round(max(-net, 0.0), 3)
    values = {"pvGeneration": pv, "totalGeneration": pv, "totalConsumption": load}
    if has_battery:
        values |= {"batteryCharging": charge, "batteryDischarging": discharge}
    return values | {
        "gridFeedIn": feed_in,
        "gridConsumption": drawn,
        "selfConsumption": round(max(pv - feed_in, 0.0), 3),
        "selfSupply": round(max(load - drawn, 0.0), 3),
    }


class Measurements:
    """The measurement endpoints of a cloud."""

    def __init__(self, cloud: "Sma") -> None:
        self._cloud = cloud

    def sets(self, device_id: str) -> Response:
        """The sets that the device offers."""
        plant = self._cloud.device_plant(device_id)
        device = plant.device(device_id)
        sets = [_DEVICE_SETS[device.kind]] if device else []
        return reply({**_heads(plant, device_id), "sets": sets})

    def of_device(self, device_id: str, set_type: str, period: str) -> Response:
        """One set of one device."""
        plant = self._cloud.device_plant(device_id)
        device = plant.device(device_id)
        offered = _DEVICE_SETS[device.kind] if device else ""
        self._demand_set(set_type, offered)
        return self._answer(_heads(plant, device_id), Series(plant, device, _in_wh(offered)), offered, period)

    def of_plant(self, plant_id: str, set_type: str, period: str) -> Response:
        """One set of the plant."""
        plant = self._cloud.plant(plant_id)
        self._demand_set(set_type, _PLANT_SET)
        return self._answer({"plant": plant.head}, Series(plant, None, _in_wh(_PLANT_SET)), _PLANT_SET, period)

    def _demand_set(self, wanted: str, offered: str) -> None:
        if not offered or wanted.lower() != offered.lower():
            raise Refused(self._cloud.error(404, f"Set {wanted} not found"))

    def _answer(self, heads: dict[str, Any], series: Series, set_type: str, period: str) -> Response:
        rows, total, resolution = self._read(series, period.lower())
        answer = {**heads, "setType": set_type, "resolution": resolution, "set": rows}
        if asked_for("WithTotal"):
            answer["total"] = total
        return reply(answer)

    def _read(self, series: Series, period: str) -> tuple[list[dict[str, Any]], dict[str, float], str]:
        ready = _ROW * ((self._cloud.now - LAG_SECONDS) // _ROW)
        begun = series.plant.site.operational_since.timestamp()
        if period == "recent":
            start, end, resolution = ready - _ROW, ready, "FiveMinutes"
        elif period in _FINE:
            start, end = self._span(series, *_FINE[period])
            resolution = "FiveMinutes"
        elif period in _COARSE:
            return self._coarse(series, period, begun, ready)
        else:
            raise Refused(self._cloud.error(BAD_REQUEST_STATUS, f"Unknown period {period}"))
        start, end = max(start, begun), min(end, ready)
        return list(_fine_rows(series, start, end)), _sum(series, start, end), resolution

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
        rows = [_coarse_row(series, one, begun, ready) for one in kept]
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


def _fine_rows(series: Series, start: float, end: float) -> Iterator[dict[str, Any]]:
    zone = zone_of(series.plant.site)
    stamp = _ROW * (start // _ROW) + _ROW
    while stamp <= end:
        row = series.row(stamp - _ROW, stamp)
        if row is not None:
            yield {"time": wall(stamp, zone), **row}
        stamp += _ROW


def _coarse_row(series: Series, span: Span, begun: float, ready: float) -> dict[str, Any]:
    return {"time": f"{span.first}T00:00:00", **series.energies(max(span.start, begun), min(span.end, ready))}


def _sum(series: Series, start: float, end: float) -> dict[str, float]:
    return series.energies(start, end) if start < end else {}
