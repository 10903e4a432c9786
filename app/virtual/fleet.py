"""The virtual sites and devices of each client, in the database."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from app.auth.client_lock import in_turn
from app.storage.database import Database
from app.storage.virtual_tables import BATTERY, VirtualDeviceRow, VirtualSiteRow
from app.virtual.control_events import events_of_site
from app.virtual.new import NewDevice, NewSite, default_name
from app.virtual.results import Deleted, DeviceAtSite, ListedDevice, ListedSite, SiteWithDevices
from app.web.problems import Problem, invalid

T = TypeVar("T")

MAX_SITES, MAX_DEVICES = 1_000, 10_000
# Longer than READ_SECONDS: without this answer the request fails, whereas a list does without its look-ups.
ANSWER_SECONDS = 10.0


class VirtualFleet:
    """Reads and changes virtual sites and devices. Every method sees those of one client only.

    Changes of one client take turns, in all processes: hence limits are exact, and no device is made at a site that is
    being deleted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def site_names(self, client_id: str) -> list[tuple[str, str]]:
        """Id and name of all sites."""
        query = select(VirtualSiteRow.id, VirtualSiteRow.name).where(VirtualSiteRow.client_id == client_id)
        return self.read(lambda session: [(id, name) for id, name in session.execute(query)])

    def device_ids(self, client_id: str, site_id: str | None = None) -> list[tuple[str, str, str]]:
        """Id, site and kind of all devices, or of those of one site."""
        query = select(VirtualDeviceRow.id, VirtualDeviceRow.site_id, VirtualDeviceRow.kind)
        query = query.where(VirtualDeviceRow.client_id == client_id)
        if site_id is not None:
            query = query.where(VirtualDeviceRow.site_id == site_id)
        # On the connection, since a session's result takes 3 ms more for 5,000 devices.
        return self.read(lambda session: [(id, site, kind) for id, site, kind in session.connection().execute(query)])

    def site(self, client_id: str, site_id: str) -> SiteWithDevices | None:
        """One site with its devices; None if the client has no such site."""
        query = _sites(client_id).where(VirtualSiteRow.id == site_id)
        devices = _devices(client_id).where(VirtualDeviceRow.site_id == site_id).order_by(VirtualDeviceRow.id)

        def read(session: Session) -> SiteWithDevices | None:
            site = session.scalars(query).first()
            if site is None:
                return None
            return SiteWithDevices(site, list(session.scalars(devices)), events_of_site(session, site_id))

        return self.read(read)

    def device(self, client_id: str, kind: str, device_id: str) -> DeviceAtSite | None:
        """One device with its site; None if the client has no such device of this kind."""
        query = _devices(client_id, kind).where(VirtualDeviceRow.id == device_id)

        def read(session: Session) -> DeviceAtSite | None:
            for device in _at_sites(session, query):
                return replace(device, events=events_of_site(session, device.site.id) if kind == BATTERY else ())
            return None

        return self.read(read)

    def sites_after(self, client_id: str, after: str, count: int) -> list[ListedSite]:
        """The first sites whose ids follow `after`, with their devices."""
        query = _sites(client_id).where(VirtualSiteRow.id > after)
        query = query.order_by(VirtualSiteRow.id).limit(count)
        return self.read(lambda session: _with_devices(session, query))

    def devices_after(self, client_id: str, kind: str, after: str, count: int) -> list[DeviceAtSite]:
        """The first devices of a kind whose ids follow `after`, with their sites."""
        query = _devices(client_id, kind).where(VirtualDeviceRow.id > after)
        query = query.order_by(VirtualDeviceRow.id).limit(count)
        return self.read(lambda session: _at_sites(session, query))

    def create_site(self, client_id: str, new: NewSite) -> ListedSite:
        """Makes a site; raises a 409 Problem at the limit."""

        def create(session: Session) -> ListedSite:
            _check_limits(sites=_count(session, VirtualSiteRow, client_id) + 1)
            return ListedSite(_add_site(session, client_id, new, made_for_device=False))

        return self.change(client_id, create)

    def create_device(self, client_id: str, new: NewDevice, site_id: str | None) -> DeviceAtSite:
        """Makes a device, at a new site if none is named. Raises a Problem: 409 at a limit, 400 for an unknown site."""

        def create(session: Session) -> DeviceAtSite:
            _check_limits(devices=_count(session, VirtualDeviceRow, client_id) + 1)
            site = _site_for_device(session, client_id, site_id)
            return DeviceAtSite(_add_device(session, client_id, new, site.id), site)

        return self.change(client_id, create)

    def create_sites(
        self, client_id: str, sites: Iterable[tuple[NewSite, Sequence[NewDevice]]]
    ) -> list[SiteWithDevices]:
        """Makes sites with their devices in one transaction, up to the first that a limit leaves no room for.

        Raises a 409 Problem if that is the first of all.
        """

        def create(session: Session) -> list[SiteWithDevices]:
            counts = [_count(session, table, client_id) for table in (VirtualSiteRow, VirtualDeviceRow)]
            created: list[SiteWithDevices] = []
            for new, devices in sites:
                counts = [counts[0] + 1, counts[1] + len(devices)]
                try:
                    _check_limits(*counts)
                except Problem:
                    if created:
                        break
                    raise
                site = _add_site(session, client_id, new, made_for_device=False)
                rows = [_add_device(session, client_id, device, site.id) for device in devices]
                created.append(SiteWithDevices(site, rows))
            return created

        return self.change(client_id, create)

    def delete_site(self, client_id: str, site_id: str) -> Deleted | None:
        """Deletes a site with its devices; None if the client has no such site."""

        def remove(session: Session) -> Deleted | None:
            devices = _devices(client_id).where(VirtualDeviceRow.site_id == site_id)
            deleted = [(device.kind, device.id) for device in session.scalars(devices)]
            # The devices go with it: their foreign key cascades.
            return Deleted(site_id, deleted) if _delete(session, VirtualSiteRow, client_id, site_id) else None

        return self.change(client_id, remove)

    def delete_device(self, client_id: str, kind: str, device_id: str) -> Deleted | None:
        """Deletes a device, and a site that was made for a device with its last one; None if there is none."""

        def remove(session: Session) -> Deleted | None:
            device = session.scalars(_devices(client_id, kind).where(VirtualDeviceRow.id == device_id)).first()
            if device is None:
                return None
            site = session.get_one(VirtualSiteRow, device.site_id)
            _delete(session, VirtualDeviceRow, client_id, device_id)
            is_empty = not session.scalars(_devices(client_id).where(VirtualDeviceRow.site_id == site.id)).first()
            is_gone = site.made_for_device and is_empty and _delete(session, VirtualSiteRow, client_id, site.id)
            return Deleted(site.id if is_gone else None, [(kind, device_id)])

        return self.change(client_id, remove)

    def read(self, query: Callable[[Session], T]) -> T:
        """The result of a query in a transaction."""
        return self._database.run(query, ANSWER_SECONDS)

    def change(self, client_id: str, change: Callable[[Session], T]) -> T:
        """The result of a change, which waits for its turn."""
        return self._database.run(in_turn(client_id, change), ANSWER_SECONDS)


def unknown_site() -> Problem:
    """400: the body names a site that is not the client's, whether or not it is another client's."""
    return invalid("siteID: There is no virtual site with this id. Create it first, or leave siteID out.")


def _check_limits(sites: int = 0, devices: int = 0) -> None:
    """Raises a 409 Problem if a client may not have as many."""
    for kind, number, limit in (("sites", sites, MAX_SITES), ("devices", devices, MAX_DEVICES)):
        if number > limit:
            detail = f"A client may have {limit} virtual {kind} at most; delete some that you no longer need."
            raise Problem(409, "virtual_limit_reached", detail, limit=limit)


def _add_site(session: Session, client_id: str, new: NewSite, *, made_for_device: bool) -> VirtualSiteRow:
    names = _sites(client_id).with_only_columns(VirtualSiteRow.name)
    site = new.row(client_id, _name(session, new, names), made_for_device=made_for_device)
    session.add(site)
    session.flush()
    return site


def _add_device(session: Session, client_id: str, new: NewDevice, site_id: str) -> VirtualDeviceRow:
    names = _devices(client_id, new.kind).with_only_columns(VirtualDeviceRow.name)
    device = new.row(client_id, site_id, _name(session, new, names), datetime.now(UTC))
    session.add(device)
    return device


def _name(session: Session, new: NewSite | NewDevice, names: Select[str]) -> str:
    """The posted name, or else a default one that is not among the names."""
    return new.name or default_name(new.label, set(session.scalars(names)))


def _site_for_device(session: Session, client_id: str, site_id: str | None) -> VirtualSiteRow:
    """The site with this id, or a new one without id."""
    if site_id is None:
        _check_limits(sites=_count(session, VirtualSiteRow, client_id) + 1)
        return _add_site(session, client_id, NewSite(), made_for_device=True)
    site = session.scalars(_sites(client_id).where(VirtualSiteRow.id == site_id)).first()
    if site is None:
        raise unknown_site()
    return site


def _sites(client_id: str) -> Select[VirtualSiteRow]:
    return select(VirtualSiteRow).where(VirtualSiteRow.client_id == client_id)


def _devices(client_id: str, kind: str | None = None) -> Select[VirtualDeviceRow]:
    query = select(VirtualDeviceRow).where(VirtualDeviceRow.client_id == client_id)
    return query if kind is None else query.where(VirtualDeviceRow.kind == kind)


def _with_devices(session: Session, query: Select[VirtualSiteRow]) -> list[ListedSite]:
    sites = list(session.scalars(query))
    device = VirtualDeviceRow
    columns = select(device.site_id, device.id, device.kind, device.nameplate_kwh, device.mode)
    devices: defaultdict[str, list[ListedDevice]] = defaultdict(list)
    at_sites = columns.where(device.site_id.in_([site.id for site in sites]))
    for site_id, id, kind, nameplate_kwh, mode in session.execute(at_sites):
        devices[site_id].append(ListedDevice(id, kind, nameplate_kwh, mode))
    return [ListedSite(site, devices[site.id]) for site in sites]


def _at_sites(session: Session, query: Select[VirtualDeviceRow]) -> list[DeviceAtSite]:
    devices = list(session.scalars(query))
    ids = {device.site_id for device in devices}
    sites = {site.id: site for site in session.scalars(select(VirtualSiteRow).where(VirtualSiteRow.id.in_(ids)))}
    # Between two queries a device may be deleted together with its site.
    return [DeviceAtSite(device, sites[device.site_id]) for device in devices if device.site_id in sites]


def _count(session: Session, row: type[VirtualSiteRow] | type[VirtualDeviceRow], client_id: str) -> int:
    return session.scalar(select(func.count()).select_from(row).where(row.client_id == client_id)) or 0


def _delete(session: Session, row: type[VirtualSiteRow] | type[VirtualDeviceRow], client_id: str, id: str) -> bool:
    """Whether there was such a row."""
    statement = delete(row).where(row.client_id == client_id, row.id == id)
    return _rowcount(session.execute(statement.execution_options(synchronize_session=False))) > 0


def _rowcount(result: Any) -> int:
    count: int = result.rowcount
    return count
