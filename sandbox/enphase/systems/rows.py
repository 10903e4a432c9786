"""The rows of each series, stamped with their end. Microinverters send none in the dark; meters and batteries do.

`spans` are start and end of each row. Energies are differences of counters, so that rows add up.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.enphase.systems.constants import METER_LOSS
from sandbox.enphase.systems.state import State
from simulation import Device

Spans = Iterable[tuple[float, float]]
Row = dict[str, Any]
Percent = Callable[[float], float]


def of_micros(now: State, spans: Spans) -> Iterator[Row]:
    """All microinverters together."""
    for start, end in _lit(now, spans):
        if now.reporting(end):
            row = {"end_at": int(end), "devices_reporting": now.reporting(end)}
            watts, wh = now.power_w(end, end - start), now.produced_wh(end) - now.produced_wh(start)
            yield row | {"powr": round(watts), "enwh": wh}


def of_micro(now: State, device: Device, spans: Spans, power: str) -> Iterator[Row]:
    """One microinverter; `power` is the name of that member."""
    for start, end in _lit(now, spans):
        if end <= now.reported(device, end):
            watts = now.seen.view.power_w(device, "pv", end, over=end - start)
            wh = now.seen.view.energy_wh(device, "pv", start, end)
            yield {"end_at": int(end), power: round(watts), "enwh": wh}


def of_production_meter(now: State, spans: Spans, has_loss: bool) -> Iterator[Row]:
    """The production meter."""
    for start, end in spans:
        wh = metered_wh(now, end, has_loss) - metered_wh(now, start, has_loss)
        yield {"end_at": int(end), "devices_reporting": 1, "wh_del": wh}


def of_consumption_meter(now: State, spans: Spans) -> Iterator[Row]:
    """The consumption meter, whose value includes what the battery takes and gives."""
    for start, end in spans:
        wh = round(drawn_w(now, start, end) * (end - start) / 3600)
        yield {"end_at": int(end), "devices_reporting": 1, "enwh": wh}


def of_batteries(now: State, spans: Spans, percent: Percent) -> Iterator[Row]:
    """All batteries together."""
    count, view = len(now.seen.batteries), now.seen.view
    for start, end in spans:
        row: Row = {"end_at": int(end)}
        for quantity in ("charge", "discharge"):
            row[quantity] = {"enwh": view.site_energy_wh(quantity, start, end), "devices_reporting": count}
        yield row | {"soc": {"percent": percent(charge_percent(now, end)), "devices_reporting": count}}


def of_battery(now: State, device: Device, spans: Spans, percent: Percent) -> Iterator[Row]:
    """One battery."""
    view = now.seen.view
    for start, end in spans:
        row: Row = {"end_at": int(end)}
        for quantity in ("charge", "discharge"):
            row[quantity] = {"enwh": view.energy_wh(device, quantity, start, end)}
        yield row | {"soc": {"percent": percent(charge_percent(now, end))}}


def metered_wh(now: State, t: float, has_loss: bool) -> int:
    """The counter of the production meter, which knows nothing of silent microinverters."""
    wh = now.seen.view.site_reading_wh("pv", min(t, now.ready))
    return int(wh * (1 - METER_LOSS)) if has_loss else wh


def drawn_w(now: State, start: float, end: float) -> float:
    """Mean power of production plus grid."""
    site = now.seen.site
    kwh = site.load_kwh(end) - site.load_kwh(start)
    kwh += site.charge_kwh(end) - site.charge_kwh(start) - site.discharge_kwh(end) + site.discharge_kwh(start)
    return max(0.0, kwh) * 3_600_000 / (end - start)


def charge_percent(now: State, t: float) -> float:
    """State of charge of the batteries, which share everything alike."""
    return now.seen.site.soc_percent(t) or 0.0


def _lit(now: State, spans: Spans) -> Iterator[tuple[float, float]]:
    pv_kwh = now.seen.site.pv_kwh
    return ((start, end) for start, end in spans if pv_kwh(end) > pv_kwh(start))
