"""What every vendor cloud is translated into. Units stand in the names: kWh, kW, percent.

Absent is None, never 0. Texts that the API requires are "" where a vendor has none. Times are
timezone-aware. `key` is the vendor's own stable identity of the thing, as text parts;
`vendor_id` and `vendor_site_id` are the ids that people know from the vendor's own pages.
"""

from dataclasses import dataclass
from datetime import datetime

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place with solar inverters or batteries behind one grid connection."""

    key: Key
    vendor_id: str
    name: str
    timezone: str | None = None
    """IANA name."""
    utc_offset_hours: float | None = None
    """East positive, where a vendor tells no IANA name; without daylight saving."""
    latitude: float | None = None
    longitude: float | None = None
    operational_since: datetime | None = None
    peak_power_kw: float | None = None
    """DC size of the solar generator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarInverter:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery, or what stands for it at the vendor: a battery inverter, or part of a hybrid inverter."""

    key: Key
    vendor_id: str
    site_key: Key
    vendor_site_id: str
    serial_number: str = ""
    model: str = ""
    name: str | None = None
    nameplate_kwh: float | None = None


Record = Site | SolarInverter | Battery
