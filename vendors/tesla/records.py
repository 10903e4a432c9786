"""Tesla's answers as sites, and the state of sites and devices."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from vendors.kit import Battery, Bess, DeviceRow, Site, SiteRow, SolarInverter
from vendors.kit.parsing.reading import (
    MOST_OFFSET_HOURS,
    Raw,
    as_object,
    charge_and_discharge,
    check_id,
    kilo,
    mapping,
    moment,
    number,
    optional_text,
    text,
    zone,
)
from vendors.kit.series.windows import QUARTER
from vendors.tesla.devices import nameplate_kwh

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


def response_of(site: str, raw: Raw) -> Raw:
    """The response in an answer; raises WrongRecord if it is about another site."""
    response = as_object(raw["response"])
    check_id(response, "energy_site_id", site)
    return response


def to_site(raw: Raw) -> SiteRow | None:
    """Site from a product; None for vehicles and for electricity contracts. Its time zone is in the detail only."""
    if "energy_site_id" not in raw or not has_equipment(raw):
        return None
    return Site.listed(text(raw, "energy_site_id"), of_site, raw)


def of_site(raw: Raw) -> dict[str, Any]:
    return {"name": optional_text(raw, "site_name") or text(raw, "energy_site_id")}


def to_id_with_devices(raw: Raw) -> str | None:
    """Id of a product whose `site_info` is worth its price: a site with solar or battery."""
    components = mapping(raw, "components")
    has_devices = "energy_site_id" in raw and (components.get("solar") or components.get("battery"))
    return text(raw, "energy_site_id") if has_devices else None


def has_equipment(raw: Raw) -> bool:
    components = mapping(raw, "components")
    return bool(components.get("solar") or components.get("battery") or components.get("wall_connectors"))


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
