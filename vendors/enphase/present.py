"""What Enphase's answers say of the present, added to records. Energies are in Wh and powers in W there."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from math import fsum
from zoneinfo import ZoneInfo

from vendors.enphase.series import intervals
from vendors.kit import Battery, Bess, Message, Messages, Production, Site, SolarInverter
from vendors.kit.parsing.reading import (
    ENERGY_UNITS,
    POWER_UNITS,
    Raw,
    charge_and_discharge,
    epoch,
    kilo,
    mapping,
    moment,
    number,
    optional_text,
    rating,
    rows,
)

# By the words of `operational_mode`: into the battery, and out of it. The sign of the power is documented nowhere,
# and examples contradict each other.
DIRECTIONS = {"charging": (1, 0), "discharging": (0, 1), "idle": (0, 0)}
# Without blanks and hyphens, since Enphase spells each in three ways.
MODES = {"selfconsumption": "Self Consumption", "savingsmode": "Savings", "fullbackup": "Backup"}
# A battery that reported so much earlier than its site says nothing of the site's present.
TOGETHER = timedelta(hours=1)
UNITS = POWER_UNITS | ENERGY_UNITS

# Of a date on which the clock goes back.
LONGEST_DAY = timedelta(hours=25)

Flow = tuple[float | None, float | None]


def with_summary(site: Site, now: datetime, raw: Raw) -> Site:
    """The site with what `summary` tells; its batteries only if they have a capacity, which is nowhere else.

    Of another date than today it tells a power of 0, whatever it was. A gateway reports long after the interval in
    which there was power. In the dark there are no intervals.
    """
    date = optional_text(raw, "summary_date")
    is_today = not (date and site.timezone) or date == now.astimezone(ZoneInfo(site.timezone)).date().isoformat()
    capacity_kwh = capacity_of(raw)
    power_kw = kilo(raw, "current_power") if is_today else None
    produced, reported = epoch(raw, "last_interval_end_at"), epoch(raw, "last_report_at")
    return replace(
        site,
        peak_power_kw=rating(raw, "size_w"),
        power_kw=power_kw,
        measured_at=(produced or reported) if power_kw else (reported or produced),
        bess=None if capacity_kwh is None else Bess(nameplate_kwh=capacity_kwh),
    )


def capacity_of(summary: Raw) -> float | None:
    """What all batteries of a site hold, in kWh; None for 0."""
    return rating(summary, "battery_capacity_wh")


def flow_of_all(ids: AbstractSet[str | None] | None, latest: Raw) -> tuple[Flow, datetime | None] | None:
    """Power of the batteries with these ids in `latest_telemetry` together, and the oldest time of these powers.

    Where the ids are not known, all that are there; None where one of them is missing.
    """
    entries = encharges(latest)
    if ids is not None:
        entries = [one for one in entries if optional_text(one, "id") in ids]
        if len({optional_text(one, "id") for one in entries}) < len(ids):
            return None
    flow = flow_of(entries)
    times = (epoch(one, "last_report_at") for one in entries)
    return flow and (flow, min(filter(None, times), default=None))


def with_charge(site: Site, percent: float | None, told: tuple[Flow, datetime | None] | None) -> Site:
    """The site with the state of its batteries, and what all of them take or give, unless that is of another time."""
    site = replace(site, bess=replace(site.bess or Bess(), soc_percent=percent))
    (charge_kw, discharge_kw), reported = told or ((None, None), None)
    if site.measured_at and reported and site.measured_at - reported > TOGETHER:
        return site
    measured_at = min(filter(None, (site.measured_at, reported)), default=None)
    return replace(site, charge_kw=charge_kw, discharge_kw=discharge_kw, measured_at=measured_at)


def rows_of_today(now: datetime, raw: Raw) -> tuple[datetime | None, dict[datetime, Raw]]:
    """Midnight, with which an answer that was asked for no other time begins, and its rows since then by their end.

    Midnight is None in an answer about another day, which has no rows of today. A row of another date or after now is
    none of today, and one that comes twice is one.
    """
    midnight = epoch(raw, "start_at")
    if midnight is None or not now - LONGEST_DAY < midnight <= now:
        return None, {}
    ends = ((epoch(row, "end_at"), row) for row in intervals(raw, optional=True))
    return midnight, {end: row for end, row in ends if end and midnight < end <= now}


def with_day(inverter: SolarInverter, now: datetime, raw: Raw) -> SolarInverter:
    """The microinverter with its newest row of today, and what all of them add up to; as it is without rows.

    `enwh` is the energy of a row; `powr`, or `pwr`, its power.
    """
    midnight, rows = rows_of_today(now, raw)
    produced = {end: wh for end, row in rows.items() if (wh := number(row, "enwh")) is not None}
    if not produced:
        return inverter
    newest = max(produced)
    power_kw = kilo(rows[newest], "powr")
    return replace(
        inverter,
        power_kw=kilo(rows[newest], "pwr") if power_kw is None else power_kw,
        measured_at=newest,
        recent_production=Production(fsum(produced.values()) / 1000, midnight),
    )


def with_snapshot(inverter: SolarInverter, raw: Raw) -> SolarInverter:
    """The microinverter with its row of the summary of inverters: power, lifetime energy and their time."""
    energy_kwh = amount(raw, "energy", "Wh")
    power_kw = amount(raw, "power_produced", "W")
    is_newer = power_kw is not None
    return replace(
        inverter,
        power_kw=power_kw if is_newer else inverter.power_kw,
        measured_at=reported(raw) if is_newer else inverter.measured_at,
        lifetime_production=None if energy_kwh is None else Production(energy_kwh, None),
    )


def with_flow(battery: Battery, id: str, latest: Raw) -> Battery:
    """The battery with what it takes or gives by `latest_telemetry`, where it has an id and no serial number."""
    entries = [one for one in encharges(latest) if optional_text(one, "id") == id]
    flow = flow_of(entries)
    charge_kw, discharge_kw = flow or (None, None)
    measured_at = max(filter(None, (epoch(one, "last_report_at") for one in entries)), default=None)
    return replace(battery, charge_kw=charge_kw, discharge_kw=discharge_kw, measured_at=measured_at)


def encharges(latest: Raw) -> list[Raw]:
    """The rows of IQ Batteries, one for each channel of each."""
    found = [one for one in rows(latest, "devices", "encharges", optional=True) if isinstance(one, Mapping)]
    keys = ((optional_text(one, "id") or number, optional_text(one, "channel")) for number, one in enumerate(found))
    return list(dict(zip(keys, found, strict=True)).values())


def flow_of(entries: Iterable[Raw]) -> Flow | None:
    """Power into and out of these batteries together, in kW; one of them is 0. None if any is not known."""
    net_kw = []
    for one in entries:
        power_kw = kilo(one, "power")
        into, out = DIRECTIONS.get((optional_text(one, "operational_mode") or "").lower(), (None, None))
        if power_kw is None or into is None or out is None:
            return None
        net_kw.append(abs(power_kw) * (into - out))
    return charge_and_discharge(fsum(net_kw)) if net_kw else None


def charge_of(raw: Raw) -> float | None:
    """State of charge in percent that stands beside the rows of telemetry."""
    for name in ("soc", "last_reported_aggregate_soc", "last_reported_soc"):
        told = number({name: str(raw.get(name)).rstrip("% ")}, name)
        if told is not None:
            return told
    return None


def newest_charge(now: datetime, raw: Raw) -> float | None:
    """As `charge_of`; else that of the newest row of today."""
    told = charge_of(raw)
    if told is not None:
        return told
    _, rows = rows_of_today(now, raw)
    return number(mapping(rows[max(rows)], "soc"), "percent") if rows else None


def mode_of(raw: Raw) -> str | None:
    """How batteries are run, by `battery_settings`."""
    word = optional_text(raw, "battery_mode") or ""
    return MODES.get(word.lower().replace(" ", "").replace("-", ""))


def open_events(serial_number: str, raw: Raw) -> list[tuple[str, datetime | None]]:
    """Type and beginning of what is wrong with a device now, each once."""
    found = [
        (optional_text(one, "event_type_id") or "", epoch(one, "event_start_time"))
        for one in rows(raw, "events", optional=True)
        if optional_text(one, "serial_number") == serial_number and is_open(one)
    ]
    return list(dict.fromkeys(found))


def is_open(event: Raw) -> bool:
    """Whether an event goes on: it has no end, and its status is `open`, in any case, if it has one."""
    status = optional_text(event, "status") or "open"
    return optional_text(event, "event_end_time") is None and status.lower() == "open"


def to_messages(found: Iterable[tuple[str, datetime | None]], types: Raw, now: datetime) -> Messages:
    """Open events in words: Enphase grades alarms, but not events, so all count as errors."""
    names = {
        optional_text(one, "event_type_id"): optional_text(one, "event_name")
        for one in rows(types, "event_types", optional=True)
    }
    told = tuple(Message("error", names.get(kind) or f"event type {kind}") for kind, _ in found)
    return Messages(told, min((began for _, began in found if began), default=now))


def amount(raw: Raw, name: str, usual: str) -> float | None:
    """An amount in kW or kWh: an object with its unit, or a bare number in the usual one. None for other units."""
    parts: Raw = mapping(raw, name) or {"value": raw.get(name), "units": usual}
    value, factor = number(parts, "value"), UNITS.get((optional_text(parts, "units") or usual).upper())
    return None if value is None or factor is None else value * factor


def reported(raw: Raw) -> datetime | None:
    """`last_report_date`: epoch seconds, or an ISO time."""
    return epoch(raw, "last_report_date") or moment(raw, "last_report_date")
