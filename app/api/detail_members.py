"""One site or device as the members of its answer: rounded, without what is absent, old power left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vendors.kit import Battery, Bess, Messages, Production, Site, SolarInverter
from vendors.kit.records import Record

# Power older than this and the vendor's usual lag is no longer the present. No vendor's clock is further ahead of ours.
FRESH = timedelta(minutes=30)
KWH_DIGITS, KW_DIGITS, PERCENT_DIGITS = 6, 3, 1
POWERS = ("power_kw", "charge_kw", "discharge_kw")


@dataclass(frozen=True, slots=True)
class Read:
    """A record as it was read: its vendor, when it was fetched, and how long its values take to get there."""

    vendor: str
    record: Record
    fetched_at: datetime
    lag: timedelta
    errors: Mapping[str, str]
    error_details: Mapping[str, Mapping[str, Any]]


def members(read: Read, id: str, now: datetime) -> dict[str, Any]:
    """What a site and a device have in common."""
    record = read.record
    found: dict[str, Any] = {
        "id": id,
        "vendor": read.vendor,
        "vendor_id": record.vendor_id,
        "fetched_at": read.fetched_at,
    }
    if read.errors:
        found["errors"], found["error_details"] = dict(read.errors), dict(read.error_details)
    measured_at = in_utc(record.measured_at)
    if measured_at is not None:
        found["measured_at"] = measured_at
    if measured_at is None or -FRESH <= now - measured_at <= FRESH + read.lag:
        found |= _given(record, POWERS, KW_DIGITS)
    return found


def in_utc(at: datetime | None) -> datetime | None:
    """The instant, if it is one: a vendor module may tell a time on no clock, or one that has no date in UTC."""
    try:
        return at.astimezone(UTC) if at and at.tzinfo else None
    except OverflowError:
        return None


def site(read: Read, id: str, inverters: Iterable[str], batteries: Iterable[str], now: datetime) -> dict[str, Any]:
    """The members of a site; its devices are given by their ids."""
    record = read.record
    if not isinstance(record, Site):
        raise TypeError("a site is expected")
    offset = _offset_hours(record, now)
    found = members(read, id, now) | {
        "name": record.name,
        "location_utc_offset": offset or 0.0,
        "batteries": [{"id": battery} for battery in batteries],
        "solar_inverters": [{"id": inverter} for inverter in inverters],
    }
    if offset is not None:
        location = {"lat": record.latitude, "lon": record.longitude, "timezone": record.timezone}
        found["location"] = _without_none(location) | {"current_utc_offset": offset}
    if record.operational_since is not None:
        found["operational_since"] = record.operational_since
    if record.bess is not None:
        found["bess"] = _bess(record.bess)
    return found | _given(record, ("peak_power_kw",), KW_DIGITS)


def device(read: Read, id: str, site_id: str, now: datetime) -> dict[str, Any]:
    """The members of a solar inverter or a battery."""
    record = read.record
    if isinstance(record, Site):
        raise TypeError("a device is expected")
    found = members(read, id, now) | {
        "model": record.model,
        "serial_number": record.serial_number,
        "site_id": site_id,
        "reported_at": now,
    }
    found |= _given(record, ("rated_power_kw",), KW_DIGITS)
    found |= _given(record, ("name", "kind", "status", "vendor_status"))
    if record.recent_errors is not None:
        found["recent_errors"] = _log(record.recent_errors)
    return found | (_of_inverter(record) if isinstance(record, SolarInverter) else _of_battery(record))


def _of_inverter(record: SolarInverter) -> dict[str, Any]:
    productions = {"recent_production": record.recent_production, "lifetime_production": record.lifetime_production}
    return {name: _production(one) for name, one in productions.items() if one}


def _of_battery(record: Battery) -> dict[str, Any]:
    return (
        _given(record, ("mode",))
        | _given(record, ("nameplate_kwh",), KWH_DIGITS)
        | _given(record, ("soc_percent",), PERCENT_DIGITS)
    )


def _bess(bess: Bess) -> dict[str, Any]:
    return (
        _given(bess, ("mode",))
        | _given(bess, ("nameplate_kwh",), KWH_DIGITS)
        | _given(bess, ("soc_percent",), PERCENT_DIGITS)
    )


def _production(production: Production) -> dict[str, Any]:
    return {"kwh": round(production.kwh, KWH_DIGITS), "start": production.start}


def _log(messages: Messages) -> list[dict[str, Any]]:
    """Since when the log reaches back stands last."""
    return [*({message.level: message.text} for message in messages.found), {"start": messages.start}]


def _given(record: object, names: Iterable[str], digits: int | None = None) -> dict[str, Any]:
    """The named members that are there."""
    found = _without_none({name: getattr(record, name, None) for name in names})
    return {name: value if digits is None else round(value, digits) for name, value in found.items()}


def _without_none(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def _offset_hours(record: Site, now: datetime) -> float | None:
    """The offset of the site's clock now; None when the vendor tells neither zone nor offset."""
    if record.timezone is None and record.utc_offset_hours is None:
        return None
    return (now.astimezone(record.clock).utcoffset() or timedelta()) / timedelta(hours=1)
