"""Tesla's answers as records."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, TypeVar

from vendors.kit import Battery, Bess, Key, NotFound, Site, SolarInverter
from vendors.kit.reading import Raw, mapping, moment, number, optional_text, positive, text, zone

# A battery with an inverter for solar modules inside. Whether it is listed under `inverters` too is not documented.
HYBRID = "powerwall3"
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
    devices: tuple[SolarInverter | Battery, ...]

    @property
    def clock(self) -> tzinfo:
        return clock_of(self.info)

    @property
    def since(self) -> datetime | None:
        return moment(self.info, "installation_date")

    def device(self, key: Key, kind: type[D]) -> D:
        """The device of that kind; NotFound without one."""
        for device in self.devices:
            if device.key == key and isinstance(device, kind):
                return device
        raise NotFound(why="the site has no such device")

    def has_one(self, kind: type[SolarInverter | Battery]) -> bool:
        """Whether the site's values are those of one device, as it is the only one of its kind."""
        return sum(isinstance(device, kind) for device in self.devices) == 1


def to_site(raw: Raw) -> Site | None:
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


def to_inverter(site: str, raw: Raw) -> SolarInverter | None:
    """Solar inverter from a component; None when it is no longer active."""
    if raw.get("is_active") is False:
        return None
    device = din(raw)
    return SolarInverter.listed((site, device), device, site, of_device, raw)


def to_hybrid(site: str, raw: Raw) -> SolarInverter | None:
    """The inverter inside a battery, where that kind of battery has one."""
    return to_inverter(site, raw) if is_hybrid(raw) else None


def is_hybrid(raw: Raw) -> bool:
    """Samples have the model's name with a blank and without."""
    return HYBRID in (optional_text(raw, "part_name") or "").lower().replace(" ", "")


def to_battery(site: str, raw: Raw) -> Battery | None:
    """Battery from a component; None when it is no longer active."""
    if raw.get("is_active") is False:
        return None
    device = din(raw)
    return Battery.listed((site, device), device, site, of_battery, raw)


def whole_inverter(site: str) -> SolarInverter:
    """The one that stands for all of a site whose inverters are not listed."""
    return SolarInverter(**whole_site(site), kind="synthetic")


def whole_battery(site: str, info: Raw) -> Battery:
    """The one that stands for all of a site whose batteries are not listed."""
    return Battery(
        **whole_site(site),
        kind="synthetic",
        nameplate_kwh=rating(info, "nameplate_energy"),
        rated_power_kw=rating(info, "nameplate_power"),
    )


def rating(raw: Raw, name: str) -> float | None:
    """A nameplate's W or Wh as kW or kWh; None where it is 0."""
    value = positive(raw, name)
    return None if value is None else value / 1000


def din(raw: Raw) -> str:
    """What identifies a device: its DIN, or its device id in answers that have none."""
    return optional_text(raw, "din") or text(raw, "device_id")


def of_device(raw: Raw) -> dict[str, Any]:
    return {
        "serial_number": optional_text(raw, "serial_number") or din(raw).partition("--")[2],
        "model": optional_text(raw, "part_name") or "",
        "kind": "hybrid" if is_hybrid(raw) else None,
    }


def of_battery(raw: Raw) -> dict[str, Any]:
    """Energy is in Wh and power in W."""
    return of_device(raw) | {
        "nameplate_kwh": rating(raw, "nameplate_energy"),
        "rated_power_kw": rating(raw, "nameplate_max_discharge_power"),
    }


def whole_site(site: str) -> dict[str, Any]:
    """The identity of a device that stands for all of its kind at a site."""
    return {"key": (site,), "vendor_id": site, "site_key": (site,), "vendor_site_id": site}


def with_details(site: Site, info: Raw, live: Raw) -> Site:
    """The site with what `site_info` and `live_status` say of it; of solar and batteries only where it has them."""
    place, known, offset = mapping(info, "geolocation"), zone(info, "installation_time_zone"), offset_of(info)
    charge_kw, discharge_kw = flows_kw(live) if has(info, "battery") else (None, None)
    bess = Bess(rating(info, "nameplate_energy"), mode_of(info), charge_percent(live))
    return replace(
        site,
        name=optional_text(info, "site_name") or site.name,
        timezone=known.key if known else None,
        utc_offset_hours=None if known or offset is None else offset / HOUR,
        latitude=number(place, "latitude"),
        longitude=number(place, "longitude"),
        operational_since=moment(info, "installation_date"),
        bess=bess if has(info, "battery") else None,
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
    return (None, None) if power_kw is None else (max(0.0, -power_kw), max(0.0, power_kw))


def kilo(raw: Raw, name: str) -> float | None:
    value = number(raw, name)
    return None if value is None else value / 1000
