"""Tesla's answers as records."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, TypeVar

from vendors.kit import Battery, Bess, DeviceRow, Site, SiteRow, SolarInverter
from vendors.kit.parsing.reading import (
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
from vendors.tesla.devices import nameplate_kwh

MODES = {"self_consumption": "Self Consumption", "autonomous": "Savings", "backup": "Backup"}
# Tesla has no mode for outages: all of the battery is held in reserve then.
FULL_RESERVE_PERCENT = 100
HOUR = timedelta(hours=1)
# No clock is further from UTC, and none stands between two quarters of an hour.
FURTHEST, QUARTER = timedelta(hours=14), timedelta(minutes=15)

D = TypeVar("D", SolarInverter, Battery)


@dataclass(frozen=True, slots=True)
class Installation:
    """What `site_info` says of a site, and the devices in it."""

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
        """Its batteries together, without their state of charge; None where it has none."""
        if not has(self.info, "battery"):
            return None
        batteries = [device for row in self.devices if isinstance(device := row.record(), Battery)]
        return Bess(nameplate_kwh(self.info, batteries), mode_of(self.info))

    def has_one(self, kind: type[SolarInverter | Battery]) -> bool:
        """Whether the site's values are those of one device, as it is the only one of its kind."""
        return sum(row.kind is kind for row in self.devices) == 1


def response_of(site: str, raw: Raw) -> Raw:
    """The response of an answer, if it is not about another site; raises WrongRecord if it is."""
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
    found = "energy_site_id" in raw and (components.get("solar") or components.get("battery"))
    return text(raw, "energy_site_id") if found else None


def has_equipment(raw: Raw) -> bool:
    components = mapping(raw, "components")
    return bool(components.get("solar") or components.get("battery") or components.get("wall_connectors"))


def with_details(site: Site, here: Installation, live: Raw) -> Site:
    """The site with what `site_info` and `live_status` say of it; of solar and batteries only where it has them."""
    info, bess = here.info, here.bess
    place, known, offset = mapping(info, "geolocation"), zone(info, "installation_time_zone"), offset_of(info)
    charge_kw, discharge_kw = flows_kw(live) if bess else (None, None)
    return replace(
        site,
        name=optional_text(info, "site_name") or site.name,
        timezone=known.key if known else None,
        utc_offset_hours=None if known or offset is None else offset / HOUR,
        latitude=number(place, "latitude"),
        longitude=number(place, "longitude"),
        operational_since=here.since,
        bess=replace(bess, soc_percent=charge_percent(live)) if bess else None,
        power_kw=kilo(live, "solar_power") if has(info, "solar") else None,
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        measured_at=moment(live, "timestamp"),
    )


def has(info: Raw, component: str) -> bool:
    return bool(mapping(info, "components").get(component))


def clock_of(info: Raw) -> tzinfo:
    """The site's time zone; where it has no name, one with a fixed offset."""
    known = zone(info, "installation_time_zone")
    if known:
        return known
    offset = offset_of(info) or timedelta(0)
    # Tesla takes no offsets but names, so one that has a name is told by it. These names count westward.
    named = zone({"name": f"Etc/GMT{-(offset // HOUR):+d}"}, "name")
    return named if named and not offset % HOUR else timezone(offset)


def offset_of(info: Raw) -> timedelta | None:
    """The offset of the site's clock as told in minutes, else that of its installation date; None without both."""
    minutes, since = number(info, "time_zone_offset"), moment(info, "installation_date")
    found = since.utcoffset() if since else None
    if minutes is not None and abs(minutes) <= FURTHEST / timedelta(minutes=1):
        found = timedelta(minutes=minutes)
    return None if found is None or abs(found) > FURTHEST or found % QUARTER else found


def mode_of(info: Raw) -> str | None:
    """What the battery is used for, in the API's words."""
    if number(info, "backup_reserve_percent") == FULL_RESERVE_PERCENT:
        return MODES["backup"]
    return MODES.get(optional_text(info, "default_real_mode") or "")


def charge_percent(live: Raw) -> float | None:
    """State of charge. Single answers say 0 without a reason: that is true only where no energy is left either."""
    percent = number(live, "percentage_charged")
    return percent or (0.0 if percent == number(live, "energy_left") == 0 else None)


def flows_kw(live: Raw) -> tuple[float | None, float | None]:
    """Power into and out of the battery; Tesla's number is positive while it discharges."""
    power_kw = kilo(live, "battery_power")
    return charge_and_discharge(None if power_kw is None else -power_kw)
