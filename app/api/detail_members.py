"""JSON members of a site or device: rounded, without members that are absent, and without old power."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vendors.kit import Battery, Bess, Messages, Production, Site, SolarInverter
from vendors.kit.records import Record

# Power older than this plus the vendor's usual lag is not the present. No vendor's clock is further ahead of ours.
FRESH = timedelta(minutes=30)
KWH_DIGITS, KW_DIGITS, PERCENT_DIGITS = 6, 3, 1
POWERS = ("power_kw", "charge_kw", "discharge_kw")


@dataclass(frozen=True, slots=True)
class FetchedRecord:
    """A record with its vendor, the time at which it was fetched, and the vendor's usual lag."""

    vendor: str
    record: Record
    fetched_at: datetime
    lag: timedelta
    errors: Mapping[str, str]
    error_details: Mapping[str, Mapping[str, Any]]


def shared_members(fetched: FetchedRecord, id: str, now: datetime) -> dict[str, Any]:
    """The members that sites and devices share."""
    record = fetched.record
    members: dict[str, Any] = {
        "id": id,
        "vendor": fetched.vendor,
        "vendor_id": record.vendor_id,
        "fetched_at": fetched.fetched_at,
    }
    if fetched.errors:
        members["errors"], members["error_details"] = dict(fetched.errors), dict(fetched.error_details)
    measured_at = in_utc(record.measured_at)
    if measured_at is not None:
        members["measured_at"] = measured_at
    if measured_at is None or -FRESH <= now - measured_at <= FRESH + fetched.lag:
        members |= _present(record, POWERS, KW_DIGITS)
    return members


def in_utc(at: datetime | None) -> datetime | None:
    """The instant in UTC; None for a time without time zone, and for a time whose date in UTC is out of range."""
    try:
        return at.astimezone(UTC) if at and at.tzinfo else None
    except OverflowError:
        return None


def site(
    fetched: FetchedRecord, id: str, inverters: Iterable[str], batteries: Iterable[str], now: datetime
) -> dict[str, Any]:
    """The members of a site. `inverters`, `batteries`: the ids of its devices."""
    record = fetched.record
    if not isinstance(record, Site):
        raise TypeError("a site is expected")
    offset = _offset_hours(record, now)
    members = shared_members(fetched, id, now) | {
        "name": record.name,
        "location_utc_offset": offset or 0.0,
        "batteries": [{"id": battery} for battery in batteries],
        "solar_inverters": [{"id": inverter} for inverter in inverters],
    }
    if offset is not None:
        location = {"lat": record.latitude, "lon": record.longitude, "timezone": record.timezone}
        members["location"] = _without_none(location) | {"current_utc_offset": offset}
    if record.operational_since is not None:
        members["operational_since"] = record.operational_since
    if record.bess is not None:
        members["bess"] = _storage(record.bess)
    return members | _present(record, ("peak_power_kw",), KW_DIGITS)


def device(fetched: FetchedRecord, id: str, site_id: str, now: datetime) -> dict[str, Any]:
    """The members of a solar inverter or a battery."""
    record = fetched.record
    if isinstance(record, Site):
        raise TypeError("a device is expected")
    members = shared_members(fetched, id, now) | {
        "model": record.model,
        "serial_number": record.serial_number,
        "site_id": site_id,
        "reported_at": now,
    }
    members |= _present(record, ("rated_power_kw",), KW_DIGITS)
    members |= _present(record, ("name", "kind", "status", "vendor_status"))
    if record.recent_errors is not None:
        members["recent_errors"] = _log(record.recent_errors)
    return members | (_productions(record) if isinstance(record, SolarInverter) else _storage(record))


def _productions(record: SolarInverter) -> dict[str, Any]:
    productions = {"recent_production": record.recent_production, "lifetime_production": record.lifetime_production}
    return {name: _production(production) for name, production in productions.items() if production}


def _storage(record: Battery | Bess) -> dict[str, Any]:
    """The members that a battery shares with all batteries of a site."""
    return (
        _present(record, ("mode",))
        | _present(record, ("nameplate_kwh",), KWH_DIGITS)
        | _present(record, ("soc_percent",), PERCENT_DIGITS)
    )


def _production(production: Production) -> dict[str, Any]:
    return {"kwh": round(production.kwh, KWH_DIGITS), "start": production.start}


def _log(messages: Messages) -> list[dict[str, Any]]:
    """The messages, and at the end the time from which on the log was read."""
    return [*({message.level: message.text} for message in messages.found), {"start": messages.start}]


def _present(record: object, names: Iterable[str], digits: int | None = None) -> dict[str, Any]:
    """The named attributes that are not None, rounded to `digits` if given."""
    members = _without_none({name: getattr(record, name, None) for name in names})
    return {name: value if digits is None else round(value, digits) for name, value in members.items()}


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _offset_hours(record: Site, now: datetime) -> float | None:
    """The offset of the site's clock now; None when the vendor reports neither zone nor offset."""
    if record.timezone is None and record.utc_offset_hours is None:
        return None
    return (now.astimezone(record.clock).utcoffset() or timedelta()) / timedelta(hours=1)
