"""State of Tesla's sites and devices, from `site_info`, `live_status` and histories."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from math import fsum

from vendors.kit import QUARTER, Battery, Bess, DeviceRow, Production, Row, Site, SolarInverter
from vendors.kit.parsing.reading import (
    MOST_OFFSET_HOURS,
    Raw,
    charge_and_discharge,
    kilo,
    mapping,
    moment,
    number,
    optional_text,
    rating,
    zone,
)

MODES = {"self_consumption": "Self Consumption", "autonomous": "Savings", "backup": "Backup"}
# Tesla has no mode for outages: with this reserve all energy of the battery is kept for them.
FULL_RESERVE_PERCENT = 100
HOUR = timedelta(hours=1)
# No clock is further from UTC; the offset of every clock is a whole number of quarters.
FURTHEST = timedelta(hours=MOST_OFFSET_HOURS)


@dataclass(frozen=True, slots=True)
class Installation:
    """The answer of `site_info` about a site, and its devices."""

    id: str
    info: Raw
    devices: list[DeviceRow]

    @property
    def clock(self) -> tzinfo:
        return clock_of(self.info)

    @property
    def since(self) -> datetime | None:
        return moment(self.info, "installation_date")

    @property
    def bess(self) -> Bess | None:
        """All batteries together, without their state of charge; None for a site without batteries."""
        if not has(self.info, "battery"):
            return None
        batteries = [device for row in self.devices if isinstance(device := row.record(), Battery)]
        return Bess(nameplate_kwh(self.info, batteries), mode_of(self.info))

    def has_one(self, kind: type[SolarInverter | Battery]) -> bool:
        """Whether the site has a single device of the kind, whose values are then the site's."""
        return sum(row.kind is kind for row in self.devices) == 1


def with_details(site: Site, installation: Installation, live: Raw) -> Site:
    """The site with its members from `site_info` and `live_status`; of solar and batteries only where it has them."""
    info, bess = installation.info, installation.bess
    place, time_zone, offset = mapping(info, "geolocation"), zone(info, "installation_time_zone"), offset_of(info)
    charge_kw, discharge_kw = flows_kw(live) if bess else (None, None)
    return replace(
        site,
        name=optional_text(info, "site_name") or site.name,
        timezone=time_zone.key if time_zone else None,
        utc_offset_hours=None if time_zone or offset is None else offset / HOUR,
        latitude=number(place, "latitude"),
        longitude=number(place, "longitude"),
        operational_since=installation.since,
        bess=replace(bess, soc_percent=charge_percent(live)) if bess else None,
        power_kw=kilo(live, "solar_power") if has(info, "solar") else None,
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        measured_at=moment(live, "timestamp"),
    )


def has(info: Raw, component: str) -> bool:
    return bool(mapping(info, "components").get(component))


def clock_of(info: Raw) -> tzinfo:
    """The site's time zone; where that has no name, a zone with a fixed offset."""
    if time_zone := zone(info, "installation_time_zone"):
        return time_zone
    offset = offset_of(info) or timedelta(0)
    # Tesla's calls take names of zones and no offsets, so whole hours go by the zones named after them, westward.
    fixed_zone = zone({"name": f"Etc/GMT{-(offset // HOUR):+d}"}, "name")
    return fixed_zone if fixed_zone and not offset % HOUR else timezone(offset)


def offset_of(info: Raw) -> timedelta | None:
    """The offset of the site's clock in minutes, else that of its installation date; None without both."""
    minutes, since = number(info, "time_zone_offset"), moment(info, "installation_date")
    offset = since.utcoffset() if since else None
    if minutes is not None and abs(minutes) <= FURTHEST / timedelta(minutes=1):
        offset = timedelta(minutes=minutes)
    return None if offset is None or abs(offset) > FURTHEST or offset % QUARTER else offset


def mode_of(info: Raw) -> str | None:
    """The use of the battery, in the API's words."""
    if number(info, "backup_reserve_percent") == FULL_RESERVE_PERCENT:
        return MODES["backup"]
    return MODES.get(optional_text(info, "default_real_mode") or "")


def charge_percent(live: Raw) -> float | None:
    """State of charge. Single answers have 0 without a reason: 0 is read only where no energy is left either."""
    percent = number(live, "percentage_charged")
    return percent or (0.0 if percent == number(live, "energy_left") == 0 else None)


def flows_kw(live: Raw) -> tuple[float | None, float | None]:
    """Power into and out of the battery; Tesla's number is positive while it discharges."""
    power_kw = kilo(live, "battery_power")
    return charge_and_discharge(None if power_kw is None else -power_kw)


def nameplate_kwh(info: Raw, batteries: Sequence[Battery]) -> float | None:
    """Capacity of a site's batteries: the site's rating, else the sum of the batteries' ratings if all have one.

    The rating of a leading Powerwall 3 is taken to include a Powerwall 3 without a rating.
    """
    unrated = [battery for battery in batteries if not battery.nameplate_kwh and battery.kind != "hybrid"]
    total_kwh = sum(battery.nameplate_kwh or 0.0 for battery in batteries)
    return rating(info, "nameplate_energy") or (total_kwh if total_kwh and not unrated else None)


def to_production(rows: Sequence[Row], start: datetime | None) -> Production | None:
    """The sum of the rows, as energy since `start`; None without rows."""
    return Production(fsum(row.kwh[0] for row in rows if row.kwh), start) if rows else None
