"""Tables of virtual sites and devices, which clients make for themselves, and of commands to their batteries."""

from datetime import datetime

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.column_types import Instant
from app.storage.database import Base

SOLAR_INVERTER, BATTERY = "solar_inverter", "battery"
# The name that stands for a vendor in virtual sites and devices. No header addresses it.
VENDOR_NAME = "virtual"


class VirtualSiteRow(Base):
    """A virtual site. Its id is what the API shows as the vendor's id."""

    __tablename__ = "virtual_sites"
    __table_args__ = (Index("virtual_sites_of_client", "client_id", "id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # 24 hexadecimal digits
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    name: Mapped[str] = mapped_column(Text)
    latitude: Mapped[float] = mapped_column(Float(53))
    longitude: Mapped[float] = mapped_column(Float(53))
    timezone: Mapped[str] = mapped_column(Text)  # IANA name
    operational_since: Mapped[datetime] = mapped_column(Instant)
    made_for_device: Mapped[bool] = mapped_column(Boolean)  # by the server; deleted with its last device


class VirtualDeviceRow(Base):
    """A virtual solar inverter or battery. Of values that the client did not post, and that no default replaces, the
    columns are NULL."""

    __tablename__ = "virtual_devices"
    __table_args__ = (
        Index("virtual_devices_of_client", "client_id", "kind", "id"),
        Index("virtual_devices_of_site", "site_id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # as of a site; also the seed of its energy
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    site_id: Mapped[str] = mapped_column(Text, ForeignKey("virtual_sites.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)  # SOLAR_INVERTER or BATTERY
    name: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    serial_number: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    reported_at: Mapped[datetime | None] = mapped_column(Instant)
    recent_kwh: Mapped[float | None] = mapped_column(Float(53))
    recent_start: Mapped[datetime | None] = mapped_column(Instant)
    lifetime_kwh: Mapped[float | None] = mapped_column(Float(53))
    lifetime_start: Mapped[datetime | None] = mapped_column(Instant)
    nameplate_kwh: Mapped[float | None] = mapped_column(Float(53))
    mode: Mapped[str | None] = mapped_column(Text)
    soc_percent: Mapped[float | None] = mapped_column(Float(53))


class VirtualControlEventRow(Base):
    """A command to the batteries of a virtual site. It is never changed, save that it is ended once."""

    __tablename__ = "virtual_control_events"
    __table_args__ = (Index("virtual_control_events_of_site", "site_id", "start_at"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # as of a site
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.id"))
    site_id: Mapped[str] = mapped_column(Text, ForeignKey("virtual_sites.id", ondelete="CASCADE"))
    start_at: Mapped[datetime] = mapped_column(Instant)
    end_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)  # earlier than end_at; removed if not after start_at
    mode: Mapped[str] = mapped_column(Text)  # CommandMode
    kw: Mapped[float | None] = mapped_column(Float(53))  # of all batteries; positive discharges; NULL: rated power
    limit_percent: Mapped[float | None] = mapped_column(Float(53))
    # By the id of each battery, its share of the power. Those that are made later do not obey: no past changes.
    shares: Mapped[dict[str, float]] = mapped_column(JSON)
