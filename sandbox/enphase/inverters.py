"""Microinverters in pages: the summary of a site or gateway, and the telemetry of many at once."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from flask import Response, request

from sandbox.enphase.constants import LARGEST_TELEMETRY_PAGE, SUMMARY_OF_UNKNOWN_SITE
from sandbox.enphase.listing import paging, system_of
from sandbox.enphase.systems import rows
from sandbox.enphase.systems.equipment import micro_id, micro_part
from sandbox.enphase.systems.requests import Unprocessable
from sandbox.enphase.systems.site import EnphaseSite
from sandbox.enphase.systems.state import ROW, State
from sandbox.enphase.systems.windows import requested_window
from sandbox.replies import reply
from sandbox.times import zone_of
from simulation import Device

SIGNAL_STRENGTH = 5
FIRMWARE = {"proc_load": "521-00005-r00-v02.32.01", "param_table": "549-00018-r00-v02.32.01"}
GRID_PROFILE = "57227c50e4d7973ae602c4e6"


class Inverters:
    """The endpoints, over the systems that the token of a request covers.

    visible: those systems. state: a system as it is now.
    """

    def __init__(self, visible: Callable[[], list[EnphaseSite]], state: Callable[[EnphaseSite], State]) -> None:
        self._visible = visible
        self._state = state

    def summary(self, *, iso_dates: bool) -> Response:
        """A page of microinverters, grouped by gateway, with power and lifetime energy. No totals."""
        gateway, site_id = (request.args.get(name, "") for name in ("envoy_serial_number", "site_id"))
        if not gateway and not site_id:
            raise Unprocessable("missing", "Envoy serial number or Site id mandatory")
        systems = self._visible()
        seen = system_of(systems, gateway) if gateway else _with_id(systems, site_id)
        if seen is None or self._state(seen).is_retired:
            return reply(SUMMARY_OF_UNKNOWN_SITE)
        micros = [(seen.gateway_of(index), index, device) for index, device in enumerate(seen.inverters)]
        page, size = paging()
        chosen = [micro for micro in micros if gateway in ("", micro[0])][(page - 1) * size : page * size]
        return reply(_groups(self._state(seen), chosen, iso_dates))

    @staticmethod
    def telemetry(now: State, clock: float) -> Response:
        """A page of a system's microinverters with their rows."""
        window = requested_window(now, clock)
        page, size = paging(LARGEST_TELEMETRY_PAGE)
        devices = [
            {
                "serial_number": device.serial,
                "intervals": list(rows.of_micro(now, device, window.rows(now, ROW), "powr")),
            }
            for device in now.seen.inverters[(page - 1) * size : page * size]
        ]
        head: dict[str, Any] = {"system_id": now.seen.system_id, "total_devices": len(now.seen.inverters)}
        head |= {"page": page, "page_size": size, **window.head(), "granularity": window.granularity}
        return reply({**head, "items": "devices", "devices": devices})


def _with_id(systems: Iterable[EnphaseSite], site_id: str) -> EnphaseSite | None:
    return next((seen for seen in systems if seen.site_id == site_id), None)


def _groups(now: State, micros: list[tuple[str, int, Device]], iso_dates: bool) -> list[dict[str, Any]]:
    light = now.last_light
    groups = []
    for gateway, members in groupby(micros, key=lambda micro: micro[0]):
        entries = [
            _entry(now, index, device, light, iso_dates) | {"envoy_serial_number": gateway}
            for _, index, device in members
        ]
        groups.append({"signal_strength": SIGNAL_STRENGTH, "micro_inverters": entries})
    return groups


def _entry(now: State, index: int, device: Device, light: int | None, iso_dates: bool) -> dict[str, Any]:
    """Power comes as an object or as a bare number, as in the published example."""
    part, sku = micro_part(device)
    silent = now.is_silent(device)
    reported = now.silent_since if silent else light
    power = _power_w(now, device, reported)
    return {
        "id": micro_id(now, index),
        "serial_number": device.serial,
        "model": device.model,
        "part_number": part,
        "sku": sku,
        "status": "micro" if silent else "normal",
        "power_produced": power if index % 2 else {"value": power, "units": "W", "precision": 0},
        **FIRMWARE,
        "energy": {"value": _lifetime_wh(now, device), "units": "Wh", "precision": 0},
        "grid_profile": GRID_PROFILE,
        "last_report_date": _iso(now, reported) if iso_dates and reported else reported,
    }


def _power_w(now: State, device: Device, reported: int | None) -> int:
    """Of its last report, as its time is; in the dark it may as well be 0 or null, which is not documented."""
    return round(now.seen.view.power_w(device, "pv", reported, over=ROW)) if reported else 0


def _lifetime_wh(now: State, device: Device) -> int:
    return now.seen.view.reading_wh(device, "pv", now.reported(device, now.ready))


def _iso(now: State, reported: int) -> str:
    return datetime.fromtimestamp(reported, zone_of(now.seen.site)).isoformat()
