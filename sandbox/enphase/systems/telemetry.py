"""The series of a system and of one device, as both clouds answer them."""

from typing import Any

from flask import Response

from sandbox.enphase.systems import rows
from sandbox.enphase.systems.cloud import EnphaseCloud
from sandbox.enphase.systems.requests import NotFound, Unprocessable
from sandbox.enphase.systems.state import METER_ROW, ROW, State
from sandbox.enphase.systems.windows import Window, outside, requested_window, step_of
from sandbox.replies import reply
from simulation import Device


class Telemetry:
    """The endpoints, over one cloud."""

    def __init__(self, cloud: EnphaseCloud) -> None:
        self._cloud = cloud

    def production_micro(self, system_id: str) -> Response:
        """The rows of all microinverters together."""
        now, window = self._asked(system_id)
        step = step_of(ROW, self._cloud.micro_durations)
        intervals = rows.of_micros(now, window.rows(now, step))
        return reply(_answer(now, window, len(now.seen.inverters), intervals) | {"meta": now.meta()})

    def production_meter(self, system_id: str) -> Response:
        """The rows of the production meter; none without a meter."""
        now, window = self._asked(system_id)
        has_loss = "meter_loss" in self._cloud.switched_on
        intervals = rows.of_production_meter(now, self._metered(now, window), has_loss)
        return reply(_answer(now, window, int(now.seen.is_metered), intervals))

    def consumption_meter(self, system_id: str) -> Response:
        """The rows of the consumption meter; none without a meter."""
        now, window = self._asked(system_id)
        intervals = rows.of_consumption_meter(now, self._metered(now, window))
        return reply(_answer(now, window, int(now.seen.is_metered), intervals) | {"meta": now.meta()})

    def battery(self, system_id: str) -> Response:
        """The rows of all batteries together; none without a battery."""
        now, window = self._asked(system_id)
        count = len(now.seen.batteries)
        if (now.seen.has_acbs or not count) and self._refuses:
            raise Unprocessable("battery", "System doesn't have encharges")
        spans = window.rows(now, self._meter_step()) if count else ()
        intervals = rows.of_batteries(now, spans, self._cloud.percent)
        return reply(_answer(now, window, count, intervals) | self._cloud.battery_totals(now))

    def micro(self, system_id: str, serial: str) -> Response:
        """One microinverter."""
        now = self._cloud.system(system_id)
        device = _device(now.seen.inverters, serial, "Micro")
        window = self._window(now)
        intervals = rows.of_micro(now, device, window.rows(now, ROW), self._cloud.power_name)
        return reply(_answer(now, window, 1, intervals, serial))

    def encharge(self, system_id: str, serial: str) -> Response:
        """One IQ Battery; AC Batteries have no such series."""
        now = self._cloud.system(system_id)
        device = _device(() if now.seen.has_acbs else now.seen.batteries, serial, "Encharge")
        window = self._window(now)
        intervals = rows.of_battery(now, device, window.rows(now, self._meter_step()), self._cloud.percent)
        last = {"last_reported_time": now.last_report, "last_reported_soc": self._cloud.unit_charge(now)}
        return reply(_answer(now, window, 1, intervals, serial) | last)

    def _asked(self, system_id: str) -> tuple[State, Window]:
        now = self._cloud.system(system_id)
        return now, self._window(now)

    def _window(self, now: State) -> Window:
        window = requested_window(now, self._cloud.now)
        if self._refuses and window.start >= now.ready:
            raise outside(now, window.start)
        return window

    @property
    def _refuses(self) -> bool:
        return "refuses_no_data" in self._cloud.switched_on

    def _metered(self, now: State, window: Window) -> rows.Spans:
        step = self._meter_step()
        return window.rows(now, step) if now.seen.is_metered else ()

    def _meter_step(self) -> int:
        return step_of(METER_ROW, self._cloud.meter_durations)


def _device(devices: tuple[Device, ...], serial: str, kind: str) -> Device:
    for device in devices:
        if device.serial == serial:
            return device
    raise NotFound(kind, serial)


def _answer(now: State, window: Window, devices: int, intervals: Any, serial: str | None = None) -> dict[str, Any]:
    head: dict[str, Any] = {"system_id": now.seen.system_id}
    if serial is not None:
        head["serial_number"] = serial
    head |= {"granularity": window.granularity, "total_devices": devices, **window.head()}
    return {**head, "items": "intervals", "intervals": list(intervals)}
