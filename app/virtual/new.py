"""Sites and devices to be made, and what the server fills in where a client left a value out."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import ClassVar

from app.storage.virtual_tables import BATTERY, SOLAR_INVERTER, VirtualDeviceRow, VirtualSiteRow
from simulation.battery import MODES, SELF_CONSUMPTION
from vendors.kit import Production

# As in the documented example of a site made from `{}`.
LATITUDE, LONGITUDE, TIMEZONE = 55.8, -4.3, "Europe/Berlin"
OPERATIONAL_SINCE = datetime(2023, 1, 1, 23, 59, tzinfo=UTC)
SOC_PERCENT = 20.0
# The API documents no default for these.
NAMEPLATE_KWH = 10.0
MODE = SELF_CONSUMPTION
# As the API spells them.
BATTERY_MODES = MODES
LABELS = {SOLAR_INVERTER: "Solar inverter", BATTERY: "Battery"}


@dataclass(frozen=True, slots=True)
class NewSite:
    """A site to be made. None: the server chooses the name."""

    label: ClassVar[str] = "Site"
    name: str | None = None
    latitude: float = LATITUDE
    longitude: float = LONGITUDE
    timezone: str = TIMEZONE
    operational_since: datetime = OPERATIONAL_SINCE

    def row(self, client_id: str, name: str, *, made_for_device: bool) -> VirtualSiteRow:
        """The row of the site under this name."""
        return VirtualSiteRow(
            id=new_id(),
            client_id=client_id,
            name=name,
            latitude=self.latitude,
            longitude=self.longitude,
            timezone=self.timezone,
            operational_since=self.operational_since,
            made_for_device=made_for_device,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """Members that solar inverters and batteries to be made share."""

    name: str | None = None
    model: str | None = None
    serial_number: str | None = None
    reported_at: datetime | None = None

    def row(self, client_id: str, site_id: str, name: str, now: datetime) -> VirtualDeviceRow:
        """The row of the device under this name."""
        id = new_id()
        return VirtualDeviceRow(
            id=id,
            client_id=client_id,
            site_id=site_id,
            kind=self.kind,
            name=name,
            model=self.model or f"Virtual {self.label.lower()}",
            serial_number=self.serial_number or id[:12].upper(),
            created_at=now,
            reported_at=self.reported_at,
        )

    @property
    def kind(self) -> str:
        """SOLAR_INVERTER or BATTERY."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """The word that a default name begins with."""
        return LABELS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSolarInverter(NewDevice):
    """A solar inverter to be made."""

    recent_production: Production | None = None
    lifetime_production: Production | None = None

    def row(self, client_id: str, site_id: str, name: str, now: datetime) -> VirtualDeviceRow:
        row = NewDevice.row(self, client_id, site_id, name, now)
        if self.recent_production is not None:
            row.recent_kwh, row.recent_start = self.recent_production.kwh, self.recent_production.start
        if self.lifetime_production is not None:
            row.lifetime_kwh, row.lifetime_start = self.lifetime_production.kwh, self.lifetime_production.start
        return row

    @property
    def kind(self) -> str:
        return SOLAR_INVERTER


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBattery(NewDevice):
    """A battery to be made. The state of charge is the lowest that it will have."""

    nameplate_kwh: float = NAMEPLATE_KWH
    mode: str = MODE
    soc_percent: float = SOC_PERCENT

    def row(self, client_id: str, site_id: str, name: str, now: datetime) -> VirtualDeviceRow:
        row = NewDevice.row(self, client_id, site_id, name, now)
        row.nameplate_kwh, row.mode, row.soc_percent = self.nameplate_kwh, self.mode, self.soc_percent
        return row

    @property
    def kind(self) -> str:
        return BATTERY


def default_name(label: str, names: Collection[str]) -> str:
    """The label with a number: that of one more than there are names, or the next that none of them has."""
    return next(name for number in count(len(names) + 1) if (name := f"{label} {number}") not in names)


def new_id() -> str:
    """An id like those in the documented examples: 24 hexadecimal digits."""
    return secrets.token_hex(12)
