"""Sites, solar inverters and batteries, as every plugin returns them. Names contain the unit: kwh, kw, percent.

An absent value is None, never 0. Texts that the API requires are "" where a vendor has none. Times are timezone-aware.
`key` is the vendor's stable identity of the record, in text parts; `vendor_id` and `vendor_site_id` are the ids that
the vendor shows to its users.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Any, Generic, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

from vendors.kit.errors import NotFound

Key = tuple[str, ...]
Convert = Callable[[Any], Mapping[str, Any]]
"""Converts a vendor's row to the members of a record, without its identity. Raises nothing, whatever the row holds."""
R = TypeVar("R")


class Keyed(Protocol):
    """Anything with a key that a sweep collects: for each kind and key only once."""

    @property
    def key(self) -> Key: ...


@dataclass(slots=True)
class ListRow(Generic[R]):
    """Row of a list: kind and ids, and the vendor's raw row, which is converted only when a record is needed.

    Lists of the API contain only ids and may have 100,000 rows: to convert all of them would double the CPU of
    lists of 6,000 inverters (November 2026, docs/performance.md). The class is not frozen, which would double the time
    to make an instance.
    """

    kind: type[R]
    """Site, SolarInverter or Battery."""
    key: Key
    vendor_id: str
    vendor_site_id: str
    """For a site the same as `vendor_id`."""
    raw: Any
    convert: Convert

    def record(self) -> R:
        """The site or device, with all members that the row has."""
        ids: dict[str, Any] = {"key": self.key, "vendor_id": self.vendor_id}
        if self.kind is not Site:
            ids |= {"site_key": (self.vendor_site_id,), "vendor_site_id": self.vendor_site_id}
        return self.kind(**ids, **self.convert(self.raw))

    def release_raw(self) -> None:
        """Drops the raw row, which may be a hundred times as large as the ids. `record` must not be called later."""
        self.raw = None


def kind_of(collected: Keyed) -> type[Any]:
    """The class of a collected object; for a list row the class of its record."""
    return collected.kind if isinstance(collected, ListRow) else type(collected)


def find_record(rows: Iterable[ListRow[Any]], kind: type[R], key: Key, url: str = "") -> R:
    """The record of this kind with this key. Raises NotFound, with the list's `url`, if no row has both."""
    for row in rows:
        if row.kind is kind and row.key == key:
            record: R = row.record()
            return record
    raise NotFound(url, "the vendor's list has no such site or device")


def unique(rows: Iterable[ListRow[Any]]) -> list[ListRow[Any]]:
    """The rows, only one for each kind and key: some vendors list a device twice, and its last row counts."""
    return list({(row.kind, row.key): row for row in rows}.values())


class Status(StrEnum):
    """State of a device, the most serious first. `NORMAL`: the vendor reports that it is healthy, and nothing more."""

    OFFLINE = "offline"
    FAULT = "fault"
    WARNING = "warning"
    OFF = "off"
    SLEEPING = "sleeping"
    STANDBY = "standby"
    STARTING = "starting"
    THROTTLED = "throttled"
    SHUTTING_DOWN = "shuttingDown"
    PRODUCING = "producing"
    NORMAL = "normal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Production:
    """Energy from `start` to now; start is None where it is unknown."""

    kwh: float
    start: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """An entry of a device's log. `level`: error, warning or info."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Messages:
    """Entries of a device's log since `start`."""

    found: tuple[Message, ...]
    start: datetime


@dataclass(frozen=True, slots=True)
class Bess:
    """All batteries of a site together."""

    nameplate_kwh: float | None = None
    mode: str | None = None
    soc_percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Members of both solar inverters and batteries."""

    key: Key
    vendor_id: str
    site_key: Key
    vendor_site_id: str
    serial_number: str = ""
    model: str = ""
    name: str | None = None

    @classmethod
    def listed(cls, key: Key, vendor_id: str, site: str, convert: Convert, raw: Any) -> ListRow[Self]:
        """A row of a list of devices; `site` is the vendor's id of the device's site."""
        return ListRow(cls, key, vendor_id, site, raw, convert)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place with solar inverters or batteries behind one grid connection."""

    key: Key
    vendor_id: str
    name: str
    timezone: str | None = None
    """IANA name of a time zone that this server knows."""
    utc_offset_hours: float | None = None
    """Offset from UTC without daylight saving, positive in the east; for a vendor that reports no IANA name."""
    latitude: float | None = None
    longitude: float | None = None
    operational_since: datetime | None = None
    peak_power_kw: float | None = None
    """DC size of the site's solar modules."""
    bess: Bess | None = None
    power_kw: float | None = None
    """Solar power now, as of `measured_at`; None when the vendor's value is old."""
    charge_kw: float | None = None
    discharge_kw: float | None = None
    measured_at: datetime | None = None

    @classmethod
    def listed(cls, vendor_id: str, convert: Convert, raw: Any) -> ListRow[Self]:
        """A row of a list of sites."""
        return ListRow(cls, (vendor_id,), vendor_id, vendor_id, raw, convert)

    @property
    def clock(self) -> tzinfo:
        """The clock on which the site's days begin: its time zone, else its offset, else UTC."""
        if self.timezone is not None:
            return ZoneInfo(self.timezone)
        return timezone(timedelta(hours=self.utc_offset_hours)) if self.utc_offset_hours else UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarInverter(Device):
    """A device that turns the direct current of solar modules into alternating current."""

    rated_power_kw: float | None = None
    """AC rating."""
    kind: str | None = None
    """string, micro, hybrid or synthetic (a device that stands for all inverters of its site)."""
    power_kw: float | None = None
    """As of `measured_at`; None when the vendor's value is old."""
    measured_at: datetime | None = None
    """The vendor's time of its newest value."""
    status: Status | None = None
    vendor_status: str | None = None
    """The vendor's word for the status."""
    recent_production: Production | None = None
    """Since midnight on the site's clock."""
    lifetime_production: Production | None = None
    recent_errors: Messages | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery(Device):
    """A battery, or the device that the vendor lists in its place: a battery inverter, or part of a hybrid inverter."""

    nameplate_kwh: float | None = None
    rated_power_kw: float | None = None
    kind: str | None = None
    mode: str | None = None
    """Self Consumption, Savings or Backup."""
    soc_percent: float | None = None
    charge_kw: float | None = None
    """Power into the battery, never below 0. Not both this and `discharge_kw` are above 0."""
    discharge_kw: float | None = None
    measured_at: datetime | None = None
    status: Status | None = None
    vendor_status: str | None = None
    recent_errors: Messages | None = None


Record = Site | SolarInverter | Battery
SiteRow = ListRow[Site]
DeviceRow = ListRow[SolarInverter] | ListRow[Battery]
AnyDevice = TypeVar("AnyDevice", SolarInverter, Battery)
