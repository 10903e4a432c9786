"""The endpoints about the present: latest powers, settings of the batteries, events and alarms."""

from collections.abc import Callable
from typing import Any

from flask import Response, request

from sandbox.enphase.systems import rows
from sandbox.enphase.systems.cloud import EnphaseCloud
from sandbox.enphase.systems.constants import CHARGING_IS_POSITIVE, EVENTS_KEPT_DAYS
from sandbox.enphase.systems.equipment import battery_id, meter_id
from sandbox.enphase.systems.requests import NotFound, Unprocessable, epoch_parameter
from sandbox.enphase.systems.state import ROW, State
from sandbox.replies import reply

MODES = {"Self Consumption": "Self - Consumption", "Savings": "Savings Mode", "Backup": "Full Backup"}
DAY, WEEK = 86_400, 604_800
GATEWAY_SILENT, SEVERITY = 28, 4
# Two of the types that the documentation prints.
EVENT_TYPES = (
    {
        "event_type_id": GATEWAY_SILENT,
        "event_type_key": "envoy_no_report",
        "stateful": True,
        "event_name": "Gateway not reporting",
        "event_description": "The gateway's connection to the Enphase servers is experiencing a problem.",
        "recommended_action": "Check that your gateway and Internet router are plugged in.",
    },
    {
        "event_type_id": 4781,
        "event_type_key": "acb_sleeping",
        "stateful": False,
        "event_name": "AC Battery Sleeping",
        "event_description": "AC Battery has entered the target state of charge band.",
        "recommended_action": "No action is required.",
    },
)


class Present:
    """The endpoints, over one cloud."""

    def __init__(self, cloud: EnphaseCloud) -> None:
        self._cloud = cloud

    def latest(self, system_id: str) -> Response:
        """Powers of meters and IQ Batteries."""
        now = self._cloud.system(system_id)
        devices: dict[str, list[dict[str, Any]]] = {}
        if now.seen.is_metered:
            devices["meters"] = _meters(now)
        if now.seen.batteries and not now.seen.has_acbs:
            devices["encharges"] = _encharges(now, 1 if CHARGING_IS_POSITIVE[self._cloud.vendor] else -1)
        return reply({"system_id": now.seen.system_id, "items": "devices", "devices": devices})

    def battery_settings(self, system_id: str) -> Response:
        """The settings of the IQ Batteries; AC Batteries have none."""
        now = self._cloud.system(system_id)
        battery = now.seen.site.battery
        if battery is None or now.seen.has_acbs:
            raise Unprocessable("battery", "System doesn't have encharges")
        by_hand = self._cloud.world.batteries.happenings(now.seen.site.number).mode_at(self._cloud.now)
        mode = by_hand or battery.mode
        settings = {
            "battery_mode": MODES[mode],
            "reserve_soc": round(battery.floor_percent),
            "energy_independence": "enabled" if mode == "Self Consumption" else "disabled",
            "charge_from_grid": "enabled" if mode == "Savings" else "disabled",
            "battery_shutdown_level": 5,
        }
        return reply({"system_id": now.seen.system_id, **settings})

    def open_events(self, system_id: str) -> Response:
        """The events that have not ended."""
        now = self._cloud.system(system_id)
        return reply({"events": _events(now), "system_id": now.seen.system_id})

    def events(self, system_id: str) -> Response:
        """The events of a span of at most a week."""
        now = self._cloud.system(system_id)
        return reply({"events": self._within(_events(now), "event_start_time"), "system_id": now.seen.system_id})

    def open_alarms(self, system_id: str) -> Response:
        """The alarms that have not ended."""
        now = self._cloud.system(system_id)
        return reply({"alarms": _alarms(now), "system_id": now.seen.system_id})

    def alarms(self, system_id: str) -> Response:
        """The alarms of a span of at most a week: those that were cleared, or those that were not."""
        now = self._cloud.system(system_id)
        alarms = self._within(_alarms(now), "alarm_start_time")
        kept = [] if request.args.get("cleared") == "true" else alarms
        return reply({"alarms": kept, "system_id": now.seen.system_id})

    def event_types(self) -> Response:
        """All types of events, or one."""
        type_id = request.args.get("event_type_id")
        event_types = [event_type for event_type in EVENT_TYPES if type_id in (None, str(event_type["event_type_id"]))]
        if not event_types:
            raise NotFound("Event type", type_id or "")
        return reply({"event_types": event_types})

    def _within(self, entries: list[dict[str, Any]], began: str) -> list[dict[str, Any]]:
        clock = self._cloud.now
        start, end = epoch_parameter("start_time"), epoch_parameter("end_time")
        if start is None:
            raise Unprocessable("missing", "start_time is required")
        last = min(start + DAY, clock) if end is None else end
        if start > clock:
            raise Unprocessable("future", "Requested date is in the future")
        if not start <= last <= start + WEEK or start < clock - EVENTS_KEPT_DAYS * DAY:
            raise Unprocessable("range", "Requested date range is invalid for this system")
        return [entry for entry in entries if entry[began] <= last]


def _meters(now: State) -> list[dict[str, Any]]:
    end = now.ready
    powers: dict[str, Callable[[], float]] = {
        "production": lambda: now.seen.view.power_w(None, "pv", end, over=ROW),
        "consumption": lambda: rows.drawn_w(now, end - ROW, end),
    }
    return [
        {"id": meter_id(now, index), "name": name, "channel": 1, "last_report_at": end, "power": round(power())}
        for index, (name, power) in enumerate(powers.items())
    ]


def _encharges(now: State, sign_of_charge: int) -> list[dict[str, Any]]:
    end, view = now.ready, now.seen.view
    batteries = []
    for index, device in enumerate(now.seen.batteries):
        charge, discharge = (
            round(view.power_w(device, quantity, end, over=ROW)) for quantity in ("charge", "discharge")
        )
        mode = "Charging" if charge > discharge else "Discharging" if discharge > charge else "Idle"
        entry = {"id": battery_id(now, index), "name": device.name, "channel": 1, "last_report_at": end}
        batteries.append(entry | {"power": sign_of_charge * (charge - discharge), "operational_mode": mode})
    return batteries


def _events(now: State) -> list[dict[str, Any]]:
    if now.status != "comm":
        return []
    head = {"status": "open", "event_type_id": GATEWAY_SILENT, "event_start_time": int(now.ready)}
    return [{**head, "event_end_time": None, "serial_number": serial} for serial in now.seen.gateways]


def _alarms(now: State) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{now.seen.system_id}.8.{event['event_start_time']}000",
            "cleared": False,
            "severity": SEVERITY,
            "events": [
                {"serial_number": event["serial_number"], "start_date": event["event_start_time"], "end_date": None}
            ],
            "event_type_id": event["event_type_id"],
            "alarm_start_time": event["event_start_time"],
            "alarm_end_time": None,
        }
        for event in _events(now)
    ]
