"""Microinverters in pages: the summary of a site or gateway, and the telemetry of many at once."""

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from flask import Response, request

from sandbox.enphase.constants import LARGEST_TELEMETRY_PAGE, SUMMARY_OF_UNKNOWN_SITE
from sandbox.enphase.listing import paging, system_of
from sandbox.enphase_world import rows
from sandbox.enphase_world.equipment import micro_id, micro_part
from sandbox.enphase_world.requests import Unprocessable
from sandbox.enphase_world.state import ROW, State
from sandbox.enphase_world.systems import EnphaseSite
from sandbox.enphase_world.windows import asked
from sandbox.replies import reply
from sandbox.times import zone_of
from simulation import Device

if TYPE_CHECKING:
    from sandbox.enphase.dialect import Enphase

_SIGNAL_STRENGTH = 5
_FIRMWARE = {"proc_load": "521-00005-r00-v02.32.01", "param_table": "549-00018-r00-v02.32.01"}
_GRID_PROFILE = "57227c50e4d7973ae602c4e6"


class Inverters:
    """The endpoints, over one cloud."""

    def __init__(self, cloud: "Enphase") -> None:
        self._cloud = cloud

    def summary(self) -> Response:
        """A page of microinverters, grouped by gateway, with power and lifetime energy. No totals."""
        gateway, site_id = (request.args.get(name, "") for name in ("envoy_serial_number", "site_id"))
        if not gateway and not site_id:
            raise Unprocessable("missing", "Envoy serial number or Site id mandatory")
        seen = system_of(self._cloud, gateway) if gateway else self._visible(site_id)
        if seen is None or self._cloud.state(seen).is_retired:
            return reply(SUMMARY_OF_UNKNOWN_SITE)
        indexed = [(seen.gateway_of(index), index, one) for index, one in enumerate(seen.inverters)]
        page, size = paging()
        chosen = [one for one in indexed if gateway in ("", one[0])][(page - 1) * size : page * size]
        return reply(self._groups(seen, chosen))

    def telemetry(self, system_id: str) -> Response:
        """A page of microinverters with their rows."""
        now = self._cloud.system(system_id)
        window = asked(now, self._cloud.now)
        page, size = paging(LARGEST_TELEMETRY_PAGE)
        devices = [
            {"serial_number": one.serial, "intervals": list(rows.of_micro(now, one, window.rows(now, ROW), "powr"))}
            for one in now.seen.inverters[(page - 1) * size : page * size]
        ]
        head: dict[str, Any] = {"system_id": now.seen.system_id, "total_devices": len(now.seen.inverters)}
        head |= {"page": page, "page_size": size, **window.head(), "granularity": window.granularity}
        return reply({**head, "items": "devices", "devices": devices})

    def _visible(self, site_id: str) -> EnphaseSite | None:
        return next((seen for seen in self._cloud.visible() if seen.site_id == site_id), None)

    def _groups(self, seen: EnphaseSite, chosen: list[tuple[str, int, Device]]) -> list[dict[str, Any]]:
        now = self._cloud.state(seen)
        light = now.last_light
        iso = "iso_report_dates" in self._cloud.switched_on
        made = []
        for gateway, members in groupby(chosen, key=lambda one: one[0]):
            micros = [
                _entry(now, index, one, light, iso) | {"envoy_serial_number": gateway} for _, index, one in members
            ]
            made.append({"signal_strength": _SIGNAL_STRENGTH, "micro_inverters": micros})
        return made


def _entry(now: State, index: int, device: Device, light: int | None, iso: bool) -> dict[str, Any]:
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
        **_FIRMWARE,
        "energy": {"value": _lifetime_wh(now, device), "units": "Wh", "precision": 0},
        "grid_profile": _GRID_PROFILE,
        "last_report_date": _iso(now, reported) if iso and reported else reported,
    }


def _power_w(now: State, device: Device, reported: int | None) -> int:
    """Of its last report, as its time is; in the dark it may as well be 0 or null, which is not documented."""
    return round(now.seen.view.power_w(device, "pv", reported, over=ROW)) if reported else 0


def _lifetime_wh(now: State, device: Device) -> int:
    return now.seen.view.reading_wh(device, "pv", now.reported(device, now.ready))


def _iso(now: State, reported: int) -> str:
    return datetime.fromtimestamp(reported, zone_of(now.seen.site)).isoformat()
