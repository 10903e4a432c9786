"""State of Enphase's sites and devices, added to records. ReplyCache have energies in Wh and powers in W."""

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
    text,
)

# By `operational_mode`: into the battery, and out of it. The sign of the power is documented nowhere, and the vendor's
# examples contradict each other.
DIRECTIONS = {"charging": (1, 0), "discharging": (0, 1), "idle": (0, 0)}
# Without blanks and hyphens, since Enphase spells each mode in three ways.
MODES = {"selfconsumption": "Self Consumption", "savingsmode": "Savings", "fullbackup": "Backup"}
# The power of a battery that reported earlier than its site by more than this is left out of the site's state.
MAX_AGE_DIFFERENCE = timedelta(hours=1)
UNITS = POWER_UNITS | ENERGY_UNITS

# A date on which the clock goes back.
LONGEST_DAY = timedelta(hours=25)

Flow = tuple[float | None, float | None]


def with_summary(site: Site, now: datetime, raw: Raw) -> Site:
    """The site with its `summary`; with batteries only if that has their capacity, which no other call has.

    A summary of another date than today has a power of 0, whatever it was. While there is power, its time is the end of
    the last interval, since a gateway may report long after that; in the dark there are no intervals.
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
    """Capacity of all batteries of a site in kWh; None for 0."""
    return rating(summary, "battery_capacity_wh")


def flow_of_all(ids: AbstractSet[str | None] | None, latest: Raw) -> tuple[Flow, datetime | None] | None:
    """Total power of the batteries with these ids in `latest_telemetry`, and the oldest time of their powers.

    Without known ids the total is that of all batteries in the reply; None where a battery is missing.
    """
    entries = encharges(latest)
    if ids is not None:
        entries = [entry for entry in entries if optional_text(entry, "id") in ids]
        if len({optional_text(entry, "id") for entry in entries}) < len(ids):
            return None
    flow = flow_of(entries)
    times = (epoch(entry, "last_report_at") for entry in entries)
    return flow and (flow, min(filter(None, times), default=None))


def with_charge(site: Site, percent: float | None, timed_flow: tuple[Flow, datetime | None] | None) -> Site:
    """The site with the charge of its batteries, and with their total power unless that is of another time."""
    site = replace(site, bess=replace(site.bess or Bess(), soc_percent=percent))
    (charge_kw, discharge_kw), reported = timed_flow or ((None, None), None)
    if site.measured_at and reported and site.measured_at - reported > MAX_AGE_DIFFERENCE:
        return site
    measured_at = min(filter(None, (site.measured_at, reported)), default=None)
    return replace(site, charge_kw=charge_kw, discharge_kw=discharge_kw, measured_at=measured_at)


def rows_of_today(now: datetime, raw: Raw) -> tuple[datetime | None, dict[datetime, Raw]]:
    """Midnight, at which a series requested without a time begins, and its rows from then up to now, by their end.

    None and no rows for a series of another day. A row that comes twice counts once.
    """
    midnight = epoch(raw, "start_at")
    if midnight is None or not now - LONGEST_DAY < midnight <= now:
        return None, {}
    ends = ((epoch(row, "end_at"), row) for row in intervals(raw, optional=True))
    return midnight, {end: row for end, row in ends if end and midnight < end <= now}


def with_day(inverter: SolarInverter, now: datetime, raw: Raw) -> SolarInverter:
    """The microinverter with the power of its newest row of today and the energy of all; unchanged without rows.

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


def snapshots(raw: object) -> dict[str, Raw]:
    """Microinverters of a summary of inverters, which are grouped by gateway, by serial number."""
    return {
        text(inverter, "serial_number"): inverter for group in rows(raw) for inverter in rows(group, "micro_inverters")
    }


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
    """The battery with its power from `latest_telemetry`, where it has an id and no serial number."""
    entries = [entry for entry in encharges(latest) if optional_text(entry, "id") == id]
    flow = flow_of(entries)
    charge_kw, discharge_kw = flow or (None, None)
    measured_at = max(filter(None, (epoch(entry, "last_report_at") for entry in entries)), default=None)
    return replace(battery, charge_kw=charge_kw, discharge_kw=discharge_kw, measured_at=measured_at)


def encharges(latest: Raw) -> list[Raw]:
    """The rows of IQ Batteries, one for each channel of each."""
    listed = rows(latest, "devices", "encharges", optional=True)
    entries = [entry for entry in listed if isinstance(entry, Mapping)]
    by_channel = {
        (optional_text(entry, "id") or index, optional_text(entry, "channel")): entry
        for index, entry in enumerate(entries)
    }
    return list(by_channel.values())


def flow_of(entries: Iterable[Raw]) -> Flow | None:
    """Total power into and out of these batteries in kW, one of which is 0; None if the power of any is unknown."""
    net_kw = []
    for entry in entries:
        power_kw = kilo(entry, "power")
        into, out = DIRECTIONS.get((optional_text(entry, "operational_mode") or "").lower(), (None, None))
        if power_kw is None or into is None or out is None:
            return None
        net_kw.append(abs(power_kw) * (into - out))
    return charge_and_discharge(fsum(net_kw)) if net_kw else None


def charge_of(raw: Raw) -> float | None:
    """State of charge in percent, from the members next to the rows of telemetry."""
    for name in ("soc", "last_reported_aggregate_soc", "last_reported_soc"):
        percent = number({name: str(raw.get(name)).rstrip("% ")}, name)
        if percent is not None:
            return percent
    return None


def newest_charge(now: datetime, raw: Raw) -> float | None:
    """State of charge as of `charge_of`, else of the newest row of today."""
    percent = charge_of(raw)
    if percent is not None:
        return percent
    _, rows = rows_of_today(now, raw)
    return number(mapping(rows[max(rows)], "soc"), "percent") if rows else None


def mode_of(raw: Raw) -> str | None:
    """Mode of the batteries, from `battery_settings`."""
    word = optional_text(raw, "battery_mode") or ""
    return MODES.get(word.lower().replace(" ", "").replace("-", ""))


def open_events(serial_number: str, raw: Raw) -> list[tuple[str, datetime | None]]:
    """Type and beginning of each open event of a device, without repeated ones."""
    events = [
        (optional_text(event, "event_type_id") or "", epoch(event, "event_start_time"))
        for event in rows(raw, "events", optional=True)
        if optional_text(event, "serial_number") == serial_number and is_open(event)
    ]
    return list(dict.fromkeys(events))


def is_open(event: Raw) -> bool:
    """Whether an event has no end, and its status, if it has one, is `open` in capitals or not."""
    status = optional_text(event, "status") or "open"
    return optional_text(event, "event_end_time") is None and status.lower() == "open"


def to_messages(events: Iterable[tuple[str, datetime | None]], types: Raw, now: datetime) -> Messages:
    """Open events in words: Enphase grades alarms, but not events, so all count as errors."""
    names = {
        optional_text(event_type, "event_type_id"): optional_text(event_type, "event_name")
        for event_type in rows(types, "event_types", optional=True)
    }
    messages = tuple(Message("error", names.get(kind) or f"event type {kind}") for kind, _ in events)
    return Messages(messages, min((began for _, began in events if began), default=now))


def amount(raw: Raw, name: str, usual: str) -> float | None:
    """An amount in kW or kWh: an object with its unit, or a bare number in the usual unit. None for other units."""
    parts: Raw = mapping(raw, name) or {"value": raw.get(name), "units": usual}
    value, factor = number(parts, "value"), UNITS.get((optional_text(parts, "units") or usual).upper())
    return None if value is None or factor is None else value * factor


def reported(raw: Raw) -> datetime | None:
    """`last_report_date`: epoch seconds, or an ISO time."""
    return epoch(raw, "last_report_date") or moment(raw, "last_report_date")
