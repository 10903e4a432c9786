"""State of Solis' stations and inverters, and the alarms of an inverter."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from math import ceil, fsum

from vendors.kit import (
    Battery,
    Bess,
    Client,
    Freshness,
    Message,
    Messages,
    Production,
    Site,
    SolarInverter,
    Status,
    day_start,
)
from vendors.kit.parsing.reading import (
    POWER_UNITS,
    Raw,
    charge_and_discharge,
    energy_kwh,
    mapping,
    number,
    optional_text,
    positive,
    rows,
    zone,
)
from vendors.solis.records import check_ids, has_battery, milliseconds

# Number of strings of solar modules that an answer has members for.
STRINGS = 32
# By `state`; state 2 also by `stateExceptionFlag`.
STATUSES = {"1": Status.NORMAL, "3": Status.WARNING}
ASLEEP = "0"
CHARGED, DISCHARGED = "batteryPowerZheng", "batteryPowerFu"
# Bound on the calls for a log: alarms on further pages are not read.
MAX_ALARM_PAGES, ALARMS_PER_PAGE = 5, 100
ALARM_LEVELS = {"1": "info", "2": "warning", "3": "error"}
# The `state` of an alarm that is over. "0" is pending; "1" is processed by a person, which does not end it.
RESTORED = "2"


def site_now(site: Site, raw: Raw, now: datetime) -> Site:
    """The site with its state from `stationDetail`; only newer answers name its time zone and first day.

    Values with a time after now are not its present state.
    """
    time_zone = zone(raw, "timeZoneStandardId")
    has_battery_now = has_bess(raw)
    known = replace(
        site,
        timezone=time_zone.key if time_zone else None,
        operational_since=milliseconds(raw, "fisGenerateTime"),
        bess=Bess() if has_battery_now else None,
    )
    measured_at = milliseconds(raw, "dataTimestamp")
    if measured_at and measured_at > now:
        return known
    charge_kw, discharge_kw = flows_kw(raw) if has_battery_now else (None, None)
    return replace(
        known,
        bess=Bess(soc_percent=positive(raw, "batteryPercent")) if has_battery_now else None,
        power_kw=kw(raw, "power"),
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        measured_at=measured_at,
    )


def has_bess(raw: Raw) -> bool:
    """Whether a station has a charge, or power into or out of a battery: its counters stay when the battery is taken
    away."""
    return positive(raw, "batteryPercent") is not None or any(flows_kw(raw))


def inverters_clock(site: Site) -> timezone:
    """The clock by which the devices' days begin: the offset without daylight saving."""
    return timezone(timedelta(hours=site.utc_offset_hours or 0.0))


def inverter_now(inverter: SolarInverter, site: Site | None, raw: Raw, now: datetime) -> SolarInverter:
    """The inverter with its state from `inverterDetail`. AC power of a hybrid includes its battery's flow.

    Values with a time after now are not its present state.
    """
    measured_at = milliseconds(raw, "dataTimestamp")
    if measured_at is None:
        return inverter
    is_hybrid = has_battery(raw)
    status, word = to_status(raw)
    lifetime_kwh, since = energy_kwh(raw, "eTotal", "eTotalStr"), site.operational_since if site else None
    known = replace(
        inverter,
        kind="hybrid" if is_hybrid else "string",
        status=status,
        vendor_status=word,
        lifetime_production=None if lifetime_kwh is None else Production(lifetime_kwh, since),
    )
    if measured_at > now:
        return known
    power_kw = solar_kw(raw) if is_hybrid else kw(raw, "pac")
    today = production_today(site, raw, measured_at, now) if site else None
    return replace(known, power_kw=power_kw, measured_at=measured_at, recent_production=today)


def production_today(site: Site, raw: Raw, measured_at: datetime, now: datetime) -> Production | None:
    """`eToday` where it is of today: it is of the day of the newest value, and a device may have been silent since."""
    clock = inverters_clock(site)
    midnight = day_start(now.astimezone(clock).date(), clock)
    today_kwh = energy_kwh(raw, "eToday", "eTodayStr")
    return None if today_kwh is None or measured_at < midnight else Production(today_kwh, midnight)


def battery_now(battery: Battery, raw: Raw, now: datetime) -> Battery:
    """The battery with its state. Single answers have a charge of 0 % without a reason, so 0 is not read."""
    measured_at = milliseconds(raw, "dataTimestamp")
    if measured_at is None:
        return battery
    status, word = to_status(raw)
    known = replace(battery, status=status, vendor_status=word)
    if measured_at > now:
        return known
    charge_kw, discharge_kw = flows_kw(raw)
    return replace(
        known,
        soc_percent=positive(raw, "batteryCapacitySoc"),
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        measured_at=measured_at,
    )


def flows_kw(raw: Raw) -> tuple[float | None, float | None]:
    """Power into and out of a battery: two numbers in W, or a single number whose direction is that of the current."""
    charge_w, discharge_w = number(raw, CHARGED), number(raw, DISCHARGED)
    if charge_w is not None and discharge_w is not None:
        net_kw: float | None = (abs(charge_w) - abs(discharge_w)) / 1000
    else:
        size_kw, current = kw(raw, "batteryPower"), number(raw, "bstteryCurrent")
        is_charging = current is not None and current > 0
        net_kw = None if size_kw is None or current is None else abs(size_kw) * (1 if is_charging else -1)
    return charge_and_discharge(net_kw)


def solar_kw(raw: Raw) -> float | None:
    """Power of the strings, which have it in W."""
    watts = [value for index in range(1, STRINGS + 1) if (value := number(raw, f"pow{index}")) is not None]
    return fsum(watts) / 1000 if watts else None


def kw(raw: Raw, name: str) -> float | None:
    """A power of any sign, in the unit that the member `<name>Str` names."""
    value, factor = number(raw, name), POWER_UNITS.get((optional_text(raw, f"{name}Str") or "").upper())
    return None if value is None or factor is None else value * factor


def to_status(raw: Raw) -> tuple[Status | None, str | None]:
    """Status, and the platform's number for it."""
    word = optional_text(raw, "state")
    if word == "2":
        return (Status.SLEEPING if optional_text(raw, "stateExceptionFlag") == ASLEEP else Status.OFFLINE), word
    return (STATUSES.get(word, Status.UNKNOWN), word) if word else (None, None)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of one inverter. Ids are not unique (`-1`): equal alarms are one."""

    code: str
    began: datetime | None
    message: Message


def to_alarm(raw: Raw) -> Alarm:
    """An alarm with its text, or else its code. A restored alarm is an info, not a warning."""
    code = optional_text(raw, "alarmCode") or ""
    words = optional_text(raw, "alarmMsg") or f"alarm {code or 'without a code'}"
    level = ALARM_LEVELS.get(optional_text(raw, "alarmLevel") or "", "warning")
    is_over = optional_text(raw, "state") == RESTORED
    message = Message("info", f"{words} (restored)") if is_over else Message(level, words)
    return Alarm(code, milliseconds(raw, "alarmBeginTime"), message)


def read_alarms(client: Client, serial: str, since: datetime | None) -> Messages | None:
    """The newest alarms of an inverter.

    The log begins on the first day of the site if all alarms were read, else with the oldest that was; None where
    neither is known.
    """
    alarms: dict[Alarm, None] = {}
    for page in range(1, MAX_ALARM_PAGES + 1):
        of_page, is_last, total = read_page(client, serial, page)
        alarms |= dict.fromkeys(of_page)
        if is_last:
            break
    is_whole = is_last if total is None else len(alarms) >= total
    start = since if is_whole else None
    start = start or min((alarm.began for alarm in alarms if alarm.began), default=None)
    return None if start is None else Messages(tuple(alarm.message for alarm in alarms), start)


def read_page(client: Client, serial: str, page: int) -> tuple[list[Alarm], bool, float | None]:
    """Alarms of a page, whether it is the last, and the least number of alarms in all; None where that is unknown.

    Without alarms the rows may be missing, or all of `data`. A full page without counters above 0 may not be the last;
    unreadable rows count as well.
    """
    body = {"pageNo": page, "pageSize": ALARMS_PER_PAGE, "alarmDeviceSn": serial}
    reply = client.post_read("/v1/api/alarmList", body=body, freshness=Freshness.TODAY)
    data = reply.record(lambda raw: mapping(raw, "data"))
    raws = reply.record(lambda _: rows(data, "records", optional=True))
    reply.record(lambda _: check_ids(raws, "alarmDeviceSn", serial))
    alarms = reply.rows("data", "records", to=to_alarm) if raws else []
    total, pages = positive(data, "total"), positive(data, "pages")
    if pages is None and total is not None:
        pages = ceil(total / ALARMS_PER_PAGE)
    if total is None and pages is not None:
        total = (pages - 1) * ALARMS_PER_PAGE + 1  # at least
    is_last = not raws or (len(raws) < ALARMS_PER_PAGE if pages is None else page >= pages)
    return alarms, is_last, total
