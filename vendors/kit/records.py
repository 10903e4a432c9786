"""Sites, solar inverters and batteries, as every plugin returns them. Units stand in the names: kWh, kW, percent.

Absent is None, never 0. Texts that the API requires are "" where a vendor has none. Times are
timezone-aware. `key` is the vendor's stable identity of the record, as text parts;
`vendor_id` and `vendor_site_id` are the ids on the vendor's web pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Any, Generic, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

from vendors.kit.errors import NotFound

Key = tuple[str, ...]
Convert = Callable[[Any], Mapping[str, Any]]
"""From a vendor's row to the members of a record that are not its identity. Raises nothing, whatever the row holds."""
R = TypeVar("R")


class Keyed(Protocol):
    """Anything that a sweep collects, one of a kind for each key."""

    @property
    def key(self) -> Key: ...


@dataclass(slots=True)
class ListRow(Generic[R]):
    """Row of a vendor's list: its kind and ids, read at once, and the rest, converted only when a record is needed.

    A list gives ids alone and may have a hundred thousand rows. Not frozen, which would double the time to make one.
    """

    kind: type[R]
    """Site, SolarInverter or Battery."""
    key: Key
    vendor_id: str
    vendor_site_id: str
    """Of a site its own id."""
    raw: Any
    convert: Convert

    def record(self) -> R:
        """The site or device with all members that the row holds."""
        ids: dict[str, Any] = {"key": self.key, "vendor_id": self.vendor_id}
        if self.kind is not Site:
            ids |= {"site_key": (self.vendor_site_id,), "vendor_site_id": self.vendor_site_id}
        return self.kind(**ids, **self.convert(self.raw))

    def release_raw(self) -> None:
        """Drops the vendor's row, which may be a hundred times as large as the ids. `record` cannot be called then."""
        self.raw = None


def kind_of(collected: Keyed) -> type[Any]:
    """The class of what a sweep collected; of a list row that of the record which it stands for."""
    return collected.kind if isinstance(collected, ListRow) else type(collected)


def find_record(rows: Iterable[ListRow[Any]], kind: type[R], key: Key, url: str = "") -> R:
    """The record of this kind with this key. Raises NotFound where no row has both; `url` is the list's."""
    for row in rows:
        if row.kind is kind and row.key == key:
            record: R = row.record()
            return record
    raise NotFound(url, "the vendor's list has no such site or device")


def unique(rows: Iterable[ListRow[Any]]) -> list[ListRow[Any]]:
    """The rows, one for each kind and key: some vendors list a device twice, and the row delivered last counts."""
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
    """Members that solar inverters and batteries have in common."""

    key: Key
    vendor_id: str
    site_key: Key
    vendor_site_id: str
    serial_number: str = ""
    model: str = ""
    name: str | None = None

    @classmethod
    def listed(cls, key: Key, vendor_id: str, site: str, convert: Convert, raw: Any) -> ListRow[Self]:
        """The row of a list that names this device, at the site with this vendor id."""
        return ListRow(cls, key, vendor_id, site, raw, convert)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place with solar inverters or batteries behind one grid connection."""

    key: Key
    vendor_id: str
    name: str
    timezone: str | None = None
    """IANA name, one that this server knows."""
    utc_offset_hours: float | None = None
    """East positive, for a vendor that reports no IANA name; without daylight saving."""
    latitude: float | None = None
    longitude: float | None = None
    operational_since: datetime | None = None
    peak_power_kw: float | None = None
    """DC size of the solar generator."""
    bess: Bess | None = None
    power_kw: float | None = None
    """Solar power now, as of `measured_at`; None when the vendor's value is old."""
    charge_kw: float | None = None
    discharge_kw: float | None = None
    measured_at: datetime | None = None

    @classmethod
    def listed(cls, vendor_id: str, convert: Convert, raw: Any) -> ListRow[Self]:
        """The row of a list that names this site."""
        return ListRow(cls, (vendor_id,), vendor_id, vendor_id, raw, convert)

    @property
    def clock(self) -> tzinfo:
        """The clock on which its days begin: of its time zone, else of its offset, else UTC."""
        if self.timezone is not None:
            return ZoneInfo(self.timezone)
        return timezone(timedelta(hours=self.utc_offset_hours)) if self.utc_offset_hours else UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarInverter(Device):
    """A device that turns the direct current of solar modules into alternating current."""

    rated_power_kw: float | None = None
    """AC rating."""
    kind: str | None = None
    """string, micro, hybrid or synthetic, which stands for all inverters of its site."""
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
    """A battery, or the device that stands for it at the vendor: a battery inverter, or part of a hybrid inverter."""

    nameplate_kwh: float | None = None
    rated_power_kw: float | None = None
    kind: str | None = None
    mode: str | None = None
    """Self Consumption, Savings or Backup."""
    soc_percent: float | None = None
    charge_kw: float | None = None
    """Power into it, never below 0, and not above 0 together with `discharge_kw`."""
    discharge_kw: float | None = None
    measured_at: datetime | None = None
    status: Status | None = None
    vendor_status: str | None = None
    recent_errors: Messages | None = None


Record = Site | SolarInverter | Battery
SiteRow = ListRow[Site]
DeviceRow = ListRow[SolarInverter] | ListRow[Battery]
