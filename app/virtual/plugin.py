"""The virtual devices of a client as one more vendor of the fan-out. It calls no cloud.

Its credential is the authenticated client: it is made in `app.api.context`, and no header can bring one.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.config import SettingsError
from app.fleet.vendor_problems import DatabaseUnavailable, NothingHere
from app.storage.virtual_tables import BATTERY, SOLAR_INVERTER, VENDOR_NAME
from app.virtual import physics, records
from app.virtual.control_events import add_event, end_event, end_of, event_of, touching
from app.virtual.event_plan import planned_event
from app.virtual.fleet import VirtualFleet
from app.virtual.results import DeviceAtSite, SiteWithDevices
from app.virtual.series import battery_series, solar_series
from simulation.virtual import SolarArray, StorageUnit
from vendors.kit import (
    Battery,
    Credential,
    DeviceRow,
    Key,
    Level,
    Series,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    Timeout,
    Vendor,
)
from vendors.kit.calls.bulkhead import Bulkhead
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.quota import Quota
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.control import Accepted, Control, Event, Interval, PlannedEvent
from vendors.kit.http.transport import Transport

VENDOR = VENDOR_NAME
CLIENT = "client"
# Sweeps in progress per process, and of these for one client. Twice as many as requests may be in progress, since a
# sweep may outlive its request by a moment.
SWEEPS, SWEEPS_PER_CLIENT = 16, 4

T = TypeVar("T")


class FleetUnavailable(DatabaseUnavailable):
    """The virtual devices cannot be read."""

    says = "The service cannot reach its database, which holds the virtual devices."


def credential_of(client_id: str) -> Credential:
    """The credential that opens a client's virtual devices."""
    return Credential({CLIENT: client_id})


class VirtualVendor(Vendor):
    """The virtual devices of the client in the credential."""

    fleet: ClassVar[VirtualFleet]
    stage = Stage.SERIES
    lag = timedelta(0)
    control = Control(writes_per_day=400, takes_effect=timedelta(0), settles=timedelta(0))
    lacks = frozenset(
        {
            "site.utc_offset_hours",
            "site.peak_power_kw",
            "solar_inverter.vendor_status",
            "solar_inverter.recent_errors",
            "battery.kind",
            "battery.vendor_status",
            "battery.recent_errors",
        }
    )

    def sites(self) -> Iterator[SiteRow]:
        for site in self._read(lambda: self.fleet.site_names(self._client)):
            yield records.site_row(*site)

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        for device in self._read(lambda: self.fleet.device_ids(self._client, site)):
            yield records.device_row(*device)

    def site(self, key: Key) -> Site:
        site = self._site(key)
        return physics.site_now(records.site_record(site), _arrays(site), _units(site), datetime.now(UTC))

    def solar_inverter(self, key: Key) -> SolarInverter:
        device = self._device(SOLAR_INVERTER, key)
        return physics.inverter_now(records.inverter_record(device), device, datetime.now(UTC))

    def battery(self, key: Key) -> Battery:
        device = self._device(BATTERY, key)
        return physics.battery_now(records.battery_record(device), device, datetime.now(UTC))

    def solar_intervals(self, key: Key, level: Level) -> Series:
        device = self._device(SOLAR_INVERTER, key)
        return solar_series(device.site, level, [physics.solar_array(device.row, device.site)], self._check_deadline)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        device = self._device(BATTERY, key)
        return battery_series(
            device.site, level, [physics.storage_unit(device.row, device.site, device.events)], self._check_deadline
        )

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        site = self._site(key)
        return solar_series(site.row, level, _arrays(site), self._check_deadline)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        site = self._site(key)
        return battery_series(site.row, level, _units(site), self._check_deadline)

    @classmethod
    def planned_events(cls, interval: Interval, now: datetime) -> list[PlannedEvent]:
        return [planned_event(interval, now)]

    def control_events(self, key: Key, program: str | None, start: datetime, end: datetime) -> list[Event]:
        id = self._site(key).row.id
        rows = self._read(lambda: self.fleet.read(lambda session: touching(session, self._client, id, start, end)))
        now = datetime.now(UTC)
        return [event_of(row, now) for row in rows]

    def add_control_event(self, key: Key, program: str | None, planned: PlannedEvent) -> Accepted:
        (id,) = key
        row = self._change(lambda session: add_event(session, self._client, id, planned, datetime.now(UTC)))
        event = event_of(row, datetime.now(UTC))
        return Accepted(event.id, event.text, None if event.kw == planned.kw else event.kw)

    def end_control_event(self, key: Key, program: str | None, event: str) -> str:
        (id,) = key
        row = self._change(lambda session: end_event(session, self._client, id, event, datetime.now(UTC)))
        return event_of(row, end_of(row)).text

    @property
    def _client(self) -> str:
        return self.credential[CLIENT]

    def _site(self, key: Key) -> SiteWithDevices:
        (id,) = key
        return _existing(self._read(lambda: self.fleet.site(self._client, id)))

    def _device(self, kind: str, key: Key) -> DeviceAtSite:
        (id,) = key
        return _existing(self._read(lambda: self.fleet.device(self._client, kind, id)))

    def _read(self, query: Callable[[], T]) -> T:
        try:
            return query()
        except SQLAlchemyError as error:
            raise FleetUnavailable(why=type(error).__name__) from error

    def _change(self, change: Callable[[Session], T]) -> T:
        try:
            return self.fleet.change(self._client, change)
        except SQLAlchemyError as error:
            failure = FleetUnavailable(why=type(error).__name__)
            # The connection may have been lost between the commit and its answer.
            failure.is_uncertain = True
            raise failure from error

    def _check_deadline(self) -> None:
        """Ends the work on a site with thousands of devices once its request has ended."""
        if self.client.deadline.left() <= 0:
            raise Timeout(why="the site has too many devices")


def _existing(value: T | None) -> T:
    if value is None:
        raise NothingHere
    return value


def _arrays(site: SiteWithDevices) -> list[SolarArray]:
    return [physics.solar_array(device, site.row) for device in site.devices if device.kind == SOLAR_INVERTER]


def _units(site: SiteWithDevices) -> list[StorageUnit]:
    return [physics.storage_unit(device, site.row, site.events) for device in site.devices if device.kind == BATTERY]


class NoTransport(Transport):
    """In place of connections: virtual devices are behind no network."""

    def __init__(self) -> None:
        """Opens nothing."""


def with_virtual(clouds: Mapping[str, Cloud], fleet: VirtualFleet) -> dict[str, Cloud]:
    """The clouds and that of all clients' virtual devices, which no discovery may find.

    Raises SettingsError if a plugin has taken its name.
    """
    if VENDOR in clouds:
        plugin = clouds[VENDOR].vendor.__module__
        raise SettingsError(f"the vendor name {VENDOR!r} is reserved, and {plugin} claims it: uninstall that plugin")
    vendor = type(VirtualVendor.__name__, (VirtualVendor,), {"fleet": fleet})
    quota = Quota(VENDOR, VirtualVendor.limits.parallel)
    cloud = Cloud(
        VENDOR,
        {},
        NoTransport(),
        ReplyCache(),
        quota,
        secrets.token_bytes(32),
        vendor=vendor,
        has_cache=False,
        sweep_slots=Bulkhead(SWEEPS, SWEEPS_PER_CLIENT),
    )
    return {**clouds, VENDOR: cloud}
