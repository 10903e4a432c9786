"""What every vendor cloud is translated into. Units stand in the names: kWh, kW, percent.

Absent is None, never 0. Texts that the API requires are "" where a vendor has none. Times are
timezone-aware. `key` is the vendor's own stable identity of the thing, as text parts;
`vendor_id` and `vendor_site_id` are the ids that people know from the vendor's own pages.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, Self
from zoneinfo import ZoneInfo

Key = tuple[str, ...]
Describe = Callable[[Any], Mapping[str, Any]]
"""Gives members of a record by their names, from a row as the vendor sent it; finds no fault with any."""


class Keyed(Protocol):
    """What a sweep collects: one of a kind for each key."""

    @property
    def key(self) -> Key: ...


class Status(StrEnum):
    """How a device is, the most serious first. `NORMAL`: the vendor says healthy and no more."""

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
    """Energy from `start` to now; start is None where nobody knows it."""

    kwh: float
    start: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """An entry of a device's log. `level`: error, warning or info."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Messages:
    """What a device's log says since `start`."""

    found: tuple[Message, ...]
    start: datetime


@dataclass(frozen=True, slots=True)
class Bess:
    """All batteries of a site together."""

    nameplate_kwh: float | None = None
    mode: str | None = None
    soc_percent: float | None = None


class Described:
    """A record that may have been made of a row of a list: it knows at once who it is, and reads the rest of the row
    when somebody asks for it. A list tells ids alone, and may have a hundred thousand rows."""

    __slots__ = ("_describe", "_raw")
    _describe: Describe | None
    _raw: Any
    _identity = frozenset({"key", "vendor_id", "site_key", "vendor_site_id"})

    def forget_row(self) -> None:
        """Lets the row go, which may be a hundred times as large. Who it is stays, the rest cannot be read any more."""
        self._describe = self._raw = None

    def whole(self) -> Self:
        """This record with its row read to the end: in a sweep, where a fault of the module is reported as such."""
        for member in fields(self):  # type: ignore[arg-type] # each kind of record is a dataclass
            getattr(self, member.name)
        return self

    if not TYPE_CHECKING:  # It would let a checker believe in any member.

        def __getattr__(self, name: str) -> Any:
            """Called for a member that is not there, or not yet."""
            if name not in self.__dataclass_fields__:
                raise AttributeError(f"{type(self).__name__} has no member {name}")
            if self._describe is None:
                raise RuntimeError("the row of this record was let go")
            members = self._describe(self._raw)
            for member in fields(self):
                if member.name not in self._identity:
                    default = {} if member.default is MISSING else {member.name: member.default}
                    setattr(self, member.name, (default | members)[member.name])
            return getattr(self, name)


class Device(Described):
    """What solar inverters and batteries have in common."""

    __slots__ = ()

    @classmethod
    def listed(cls, key: Key, vendor_id: str, site: str, describe: Describe, raw: Any) -> Self:
        """The device of this row, at the site with this vendor id."""
        found: Any = cls.__new__(cls)
        found.key, found.vendor_id, found.site_key, found.vendor_site_id = key, vendor_id, (site,), site
        found._describe, found._raw = describe, raw
        return found  # type: ignore[no-any-return]


@dataclass(slots=True, kw_only=True)
class Site(Described):
    """A place with solar inverters or batteries behind one grid connection."""

    key: Key
    vendor_id: str
    name: str
    timezone: str | None = None
    """IANA name, one that this server knows."""
    utc_offset_hours: float | None = None
    """East positive, where a vendor tells no IANA name; without daylight saving."""
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
    def listed(cls, vendor_id: str, describe: Describe, raw: Any) -> Self:
        """The site of this row."""
        found: Any = cls.__new__(cls)
        found.key, found.vendor_id, found._describe, found._raw = (vendor_id,), vendor_id, describe, raw
        return found  # type: ignore[no-any-return]

    @property
    def clock(self) -> tzinfo:
        """The clock on which its days begin: of its time zone, else of its offset, else UTC."""
        if self.timezone is not None:
            return ZoneInfo(self.timezone)
        return timezone(timedelta(hours=self.utc_offset_hours)) if self.utc_offset_hours else UTC


@dataclass(slots=True, kw_only=True)
class SolarInverter(Device):
    """A device that turns the direct current of solar modules into alternating current."""

    key: Key
    vendor_id: str
    site_key: Key
    vendor_site_id: str
    serial_number: str = ""
    model: str = ""
    name: str | None = None
    rated_power_kw: float | None = None
    """AC rating."""
    kind: str | None = None
    """string, micro, hybrid or synthetic: one that stands for all of its site."""
    power_kw: float | None = None
    """As of `measured_at`; None when the vendor's value is old."""
    measured_at: datetime | None = None
    """The vendor's time of its newest value."""
    status: Status | None = None
    vendor_status: str | None = None
    """The vendor's own word."""
    recent_production: Production | None = None
    """Since midnight on the site's clock."""
    lifetime_production: Production | None = None
    recent_errors: Messages | None = None


@dataclass(slots=True, kw_only=True)
class Battery(Device):
    """A battery, or what stands for it at the vendor: a battery inverter, or part of a hybrid inverter."""

    key: Key
    vendor_id: str
    site_key: Key
    vendor_site_id: str
    serial_number: str = ""
    model: str = ""
    name: str | None = None
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
