"""The base of both of Enphase's dialects: systems, their state, and answers about one of them."""

from abc import abstractmethod
from datetime import timedelta
from typing import Any, ClassVar

from flask import Blueprint, Response

from sandbox.dialect import Dialect, Resolution, SiteView
from sandbox.enphase.systems import data_faults, equipment, state
from sandbox.enphase.systems.constants import LAG_SECONDS
from sandbox.enphase.systems.requests import NotFound, Unprocessable
from sandbox.enphase.systems.site import EnphaseSite, system
from sandbox.enphase.systems.state import METER_ROW, State
from sandbox.replies import reply
from sandbox.world import World
from simulation import Site

# Seen in the wild, or in Enphase's table of names: names that stand for others.
LEGACY_ZONES = {
    "America/Phoenix": "US/Arizona",
    "America/Denver": "US/Mountain",
    "Asia/Kolkata": "Asia/Calcutta",
    "Australia/Lord_Howe": "Australia/LHI",
    "Pacific/Honolulu": "US/Hawaii",
}


class EnphaseCloud(Dialect):
    """Systems, their state, and the answers about one of them.

    Options: `retired_system` (the last one), `silent_micros` (four of the first), `gateway_down` (the second),
    `null_time_zone` (of the first), `legacy_time_zones`, `meter_loss` (meters count less than the microinverters),
    `refuses_no_data` (a span or a system of which there is nothing to tell).
    micro_durations, meter_durations: values that `interval_duration` may have; none where it is not known.
    blanks: what stands between the words of a microinverter's name.
    """

    data_faults = data_faults.CHANGES
    # Rows older than two years are refused; the totals of a system's days have no such limit.
    keeps_rows = timedelta(days=729)
    data_fault_options = {"fault-22": {"gateway_down": True}}
    # A charge that stands next to the rows has no time.
    resolution = Resolution(charge_seconds=LAG_SECONDS + METER_ROW)

    options: ClassVar[tuple[str, ...]] = (
        "retired_system",
        "silent_micros",
        "gateway_down",
        "null_time_zone",
        "legacy_time_zones",
        "meter_loss",
        "refuses_no_data",
    )
    micro_durations: ClassVar[tuple[str, ...]] = ()
    meter_durations: ClassVar[tuple[str, ...]] = ()
    blanks: ClassVar[str] = " "

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.systems: dict[str, EnphaseSite] = {
            key: seen for key, seen in self.by_id.items() if isinstance(seen, EnphaseSite)
        }

    def describe(self, site: Site) -> SiteView:
        return system(site)

    @abstractmethod
    def system(self, system_id: str) -> State:
        """The system, if the caller may see it. Raises Refused."""

    @abstractmethod
    def unprocessable(self, error: Unprocessable) -> Response:
        """The answer to a request that cannot be met."""

    @abstractmethod
    def not_found(self, error: NotFound) -> Response:
        """The answer where a device or a type is not there."""

    @abstractmethod
    def percent(self, value: float) -> float:
        """A state of charge in as many digits as this cloud gives."""

    @abstractmethod
    def battery_totals(self, now: State) -> dict[str, Any]:
        """The members next to the rows of all batteries."""

    @abstractmethod
    def unit_charge(self, now: State) -> str | None:
        """The member `last_reported_soc` of one battery."""

    @property
    def power_name(self) -> str:
        """The member that holds a microinverter's power."""
        return "powr"

    def blueprint(self) -> Blueprint:
        """An empty blueprint whose views may raise Unprocessable and NotFound."""
        blueprint = Blueprint(self.vendor, __name__)
        blueprint.register_error_handler(Unprocessable, self.unprocessable)
        blueprint.register_error_handler(NotFound, self.not_found)
        return blueprint

    def state(self, seen: EnphaseSite) -> State:
        """The system as it is now."""
        number, fleet = seen.site.number, len(self.systems)
        outage = self.world.batteries.happenings(number).outage_at(self.now)
        if outage is not None:
            return state.in_outage(seen, self.now, outage.start)
        if "retired_system" in self.switched_on and number == fleet - 1:
            return state.retired(seen, self.now)
        if "gateway_down" in self.switched_on and number == min(1, fleet - 1):
            return state.with_gateway_down(seen, self.now)
        if "silent_micros" in self.switched_on and number == 0:
            return state.with_silent_micros(seen, self.now)
        return state.usual(seen, self.now)

    def entry(self, seen: EnphaseSite) -> dict[str, Any]:
        """A system as both lists show it. Some names end in a blank, as installers type them."""
        number = seen.site.number
        return {
            "system_id": seen.system_id,
            "name": seen.site.name + (" " if number % 4 == 2 else ""),
            "public_name": "Residential System",
            "timezone": self._zone(seen),
            "address": {"state": None, "country": None, "postal_code": None},
            "connection_type": ("ethernet", "Wi-Fi", "cellular")[number % 3],
            **self.state(seen).meta(),
            "attachment_type": "rack_mount" if number % 2 else None,
            "interconnect_date": None,
        }

    def list_devices(self, system_id: str) -> Response:
        """The devices of a system, not in pages."""
        now = self.system(system_id)
        devices = equipment.listed(now, self.blanks)
        total = sum(map(len, devices.values()))
        return reply({"system_id": now.seen.system_id, "total_devices": total, "items": "devices", "devices": devices})

    def _zone(self, seen: EnphaseSite) -> str | None:
        if "null_time_zone" in self.switched_on and seen.site.number == 0:
            return None
        zone = seen.site.place.timezone
        return LEGACY_ZONES.get(zone, zone) if "legacy_time_zones" in self.switched_on else zone
