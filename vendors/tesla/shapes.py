"""Tesla's answers as records and rows."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from math import fsum
from typing import Any

from vendors.kit import Battery, Bess, Row, Sample, Site, SolarInverter, amounts
from vendors.kit.reading import Raw, mapping, moment, number, optional_text, positive, text, zone

# A battery with an inverter for solar modules inside. Whether it is listed under `inverters` too is not documented.
HYBRID = "powerwall 3"
MODES = {"self_consumption": "Self Consumption", "autonomous": "Savings", "backup": "Backup"}
# Tesla has no mode for outages: all of the battery is held in reserve then.
FULL_RESERVE_PERCENT = 100
STEP = timedelta(minutes=5)
# Energies of a row in Wh, whose parts add up.
PRODUCED = (("solar_energy_exported",),)
FLOWS = (
    (
        "battery_energy_imported_from_grid",
        "battery_energy_imported_from_solar",
        "battery_energy_imported_from_generator",
    ),
    ("battery_energy_exported",),
)


def to_site(raw: Raw) -> Site | None:
    """Site from a product; None for vehicles and for electricity contracts. Its time zone is in the detail only."""
    if "energy_site_id" not in raw or not has_equipment(raw):
        return None
    site = text(raw, "energy_site_id")
    return Site(key=(site,), vendor_id=site, name=optional_text(raw, "site_name") or site)


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
    return None if raw.get("is_active") is False else SolarInverter(**identity(site, raw))


def to_hybrid(site: str, raw: Raw) -> SolarInverter | None:
    """The inverter inside a battery, where that kind of battery has one."""
    model = optional_text(raw, "part_name") or ""
    inverter = to_inverter(site, raw) if HYBRID in model.lower() else None
    return replace(inverter, kind="hybrid") if inverter else None


def to_battery(site: str, raw: Raw) -> Battery | None:
    """Battery from a component; `nameplate_energy` is in Wh."""
    if raw.get("is_active") is False:
        return None
    power_w = positive(raw, "nameplate_max_discharge_power")
    return Battery(
        **identity(site, raw),
        nameplate_kwh=energy_kwh(raw),
        rated_power_kw=None if power_w is None else power_w / 1000,
    )


def energy_kwh(raw: Raw) -> float | None:
    energy_wh = positive(raw, "nameplate_energy")
    return None if energy_wh is None else energy_wh / 1000


def identity(site: str, raw: Raw) -> dict[str, Any]:
    """The members that identify a device: by its DIN, or by its device id in answers that have none."""
    device = optional_text(raw, "din") or text(raw, "device_id")
    return whole_site(site) | {
        "key": (site, device),
        "vendor_id": device,
        "serial_number": optional_text(raw, "serial_number") or device.partition("--")[2],
        "model": optional_text(raw, "part_name") or "",
    }


def whole_site(site: str) -> dict[str, Any]:
    """The identity of a device that stands for all of its kind at a site."""
    return {"key": (site,), "vendor_id": site, "site_key": (site,), "vendor_site_id": site}


def detailed(site: Site, info: Raw, live: Raw) -> Site:
    """The site with what `site_info` and `live_status` say of it."""
    place = mapping(info, "geolocation")
    charge_kw, discharge_kw = flows_kw(live) if has_battery(info) else (None, None)
    clock = clock_of(info)
    offset = clock.utcoffset(None) if isinstance(clock, timezone) else None
    known = zone(info, "installation_time_zone")
    return replace(
        site,
        name=optional_text(info, "site_name") or site.name,
        timezone=known.key if known else None,
        utc_offset_hours=None if known or offset is None else offset / timedelta(hours=1),
        latitude=number(place, "latitude"),
        longitude=number(place, "longitude"),
        operational_since=moment(info, "installation_date"),
        bess=Bess(energy_kwh(info), mode_of(info), charge_percent(live)) if has_battery(info) else None,
        power_kw=kilo(live, "solar_power"),
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        measured_at=moment(live, "timestamp"),
    )


def has_battery(info: Raw) -> bool:
    return bool(mapping(info, "components").get("battery"))


def clock_of(info: Raw) -> tzinfo:
    """The site's time zone; where it has no name, the offset of the site's dates, else UTC."""
    since = moment(info, "installation_date")
    offset = since.utcoffset() if since else None
    return zone(info, "installation_time_zone") or (timezone(offset) if offset else UTC)


def mode_of(info: Raw) -> str | None:
    """What the battery is used for, in the API's words."""
    if number(info, "backup_reserve_percent") == FULL_RESERVE_PERCENT:
        return MODES["backup"]
    return MODES.get(optional_text(info, "default_real_mode") or "")


def charge_percent(live: Raw) -> float | None:
    """State of charge; 0 is what single answers say without a reason, and no battery goes so far down."""
    return positive(live, "percentage_charged")


def flows_kw(live: Raw) -> tuple[float | None, float | None]:
    """Power into and out of the battery; Tesla's number is positive while it discharges."""
    power_kw = kilo(live, "battery_power")
    return (None, None) if power_kw is None else (max(0.0, -power_kw), max(0.0, power_kw))


def kilo(raw: Raw, name: str) -> float | None:
    value = number(raw, name)
    return None if value is None else value / 1000


def to_samples(raws: Iterable[Raw], energies: tuple[tuple[str, ...], ...]) -> list[Sample]:
    """Rows of a history in kWh. A part that a row leaves out is 0; a row without any of them says nothing."""
    samples = []
    for raw in raws:
        at = datetime.fromisoformat(text(raw, "timestamp"))
        parts = [[number(raw, name) if name in raw else 0.0 for name in names] for names in energies]
        is_told = any(name in raw for names in energies for name in names)
        if is_told and all(part is not None for names in parts for part in names):
            wh = tuple(fsum(part for part in names if part is not None) for names in parts)
            samples.append(Sample(at.astimezone(UTC), tuple(value / 1000 for value in wh)))
    return samples


def fine_rows(samples: list[Sample]) -> list[Row]:
    """Rows of a day, of the step that their stamps show: five minutes, in some answers fifteen."""
    times = sorted(sample.at for sample in samples)
    step = min((after - before for before, after in pairwise(times) if after > before), default=STEP)
    return amounts(samples, step, at_end=False)
