"""Sites and devices over all vendors that a request may reach: lists, and the way from an id to its device."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from app.fleet import fanout
from app.fleet.fanout import VendorResult
from app.fleet.ids import TAGS, Ids
from app.fleet.list_cache import ListCache, VendorIds
from app.fleet.lost_ids import LostIdSearch
from app.fleet.read_result import ReadResult
from app.fleet.vendor_access import VendorAccess
from app.fleet.vendor_problems import problem, unknown_id
from app.storage.id_table import IdRow, IdTable
from app.web.log import note_failures
from app.web.problems import Problem
from vendors.kit import Credential, Key, ListRow, NotFound, Site, Vendor, VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.deadline import Deadline
from vendors.kit.parsing.ids_in_paths import fits_path
from vendors.kit.records import Keyed, Record


@dataclass(frozen=True, slots=True)
class Filters:
    """List filters, combined with AND."""

    vendor: str | None = None
    vendor_site_id: str | None = None
    vendor_id: str | None = None

    def passed(self, rows: list[ListRow[Any]]) -> list[ListRow[Any]]:
        """The rows that pass."""
        if self.vendor_id is None and self.vendor_site_id is None:
            return rows
        return [row for row in rows if self._let_pass(row)]

    def _let_pass(self, row: ListRow[Any]) -> bool:
        if self.vendor_id is not None and row.vendor_id != self.vendor_id:
            return False
        return self.vendor_site_id is None or row.kind is Site or row.vendor_site_id == self.vendor_site_id


@dataclass(frozen=True, slots=True)
class Listing:
    """Sorted ids, and by vendor the failure because of which ids are missing or stale."""

    ids: list[str]
    failures: dict[str, VendorResult]
    age: float = 0.0
    """Seconds since the oldest reply that was reused."""


class Inventory:
    """Lists ids, and reads the site or device behind an id from its vendor."""

    def __init__(
        self,
        clouds: Mapping[str, Cloud],
        ids: Ids,
        id_table: IdTable,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clouds, self._ids, self._id_table = clouds, ids, id_table
        self._lost_ids = LostIdSearch(clouds, clock)
        self._list_cache = ListCache(clouds, id_table)

    def listing(
        self, kind: type[Record], access: VendorAccess, filters: Filters, deadline: Deadline, mode: Mode
    ) -> Listing:
        """Ids of one kind that pass the filters. Vendors that fail are named, not raised."""
        if filters.vendor is not None:
            access = access.only(filters.vendor)
        subject = (kind, filters)
        cached = self._list_cache.unchanged(access.credentials, subject) if mode is Mode.REUSE else {}
        uncached = {name: value for name, value in access.credentials.items() if name not in cached}
        results = self._fan_out(uncached, kind, filters, deadline, mode)
        rows = {name: filters.passed(_rows_in(result, kind)) for name, result in results.items()}
        ids = self._identify(rows)
        self._store(rows, ids, deadline)
        for name, credential in uncached.items():
            self._list_cache.keep(name, credential, subject, VendorIds(ids[name], results[name].sources))
        return _merged(cached, ids, results, access.refused)

    def _fan_out(
        self,
        credentials: Mapping[str, Credential],
        kind: type[Record],
        filters: Filters,
        deadline: Deadline,
        mode: Mode,
    ) -> dict[str, VendorResult]:
        """Lists these vendors. Their rows lose the vendor's JSON, which a list does not need, to free its memory."""

        def find(vendor: Vendor) -> Iterator[ListRow[Any]]:
            for row in _list(vendor, kind, filters.vendor_site_id):
                row.release_raw()
                yield row

        return fanout.fan_out(self._clouds, credentials, find, deadline, mode) if credentials else {}

    def _identify(self, rows: Mapping[str, Sequence[ListRow[Any]]]) -> dict[str, list[str]]:
        """Public ids by vendor, in the order of the rows."""
        return {name: [self._ids.of(row.kind, name, row.key) for row in rows[name]] for name in rows}

    def _store(
        self, rows: Mapping[str, Sequence[ListRow[Any]]], ids: Mapping[str, Sequence[str]], deadline: Deadline
    ) -> None:
        """Writes the ids that this process has not yet written to the table, so that each can be read at once."""
        new = [
            IdRow(id, name, TAGS[row.kind], row.key)
            for name in rows
            if name not in self._id_table.stored and not self._id_table.knows(ids[name])
            for id, row in zip(ids[name], rows[name], strict=True)
        ]
        self._id_table.remember(new, deadline)

    def read(
        self,
        kind: type[Record],
        id: str,
        access: VendorAccess,
        deadline: Deadline,
        mode: Mode,
        find: Callable[[Key, Vendor], Iterable[Keyed]],
    ) -> ReadResult:
        """The records that `find` reads of one site or device at its vendor.

        Raises a Problem (403, 404, 502, 503 or 504) when the id leads nowhere or the vendor may not be asked. A failure
        of the vendor is in the result, since a part of the records may have arrived.
        """
        id_row = self.locate(kind, id, access, deadline)
        if id_row is None:
            raise unknown_id()
        vendor = id_row.vendor
        credentials = {vendor: _credential(vendor, access)}
        results = fanout.fan_out(self._clouds, credentials, lambda plugin: find(id_row.key, plugin), deadline, mode)
        return ReadResult(vendor, results[vendor], self._clouds[vendor].vendor.lag)

    def id_of(self, vendor: str, kind: type[Record], key: Key) -> str:
        """The public id of a site or device."""
        return self._ids.of(kind, vendor, key)

    def remember(self, vendor: str, records: Iterable[Keyed], deadline: Deadline) -> None:
        """Writes the ids of those records that are list rows to the table, as a list does."""
        if vendor not in self._id_table.stored:
            self.add(vendor, [record for record in records if isinstance(record, ListRow)], deadline)

    def add(self, vendor: str, rows: Iterable[ListRow[Any]], deadline: Deadline) -> None:
        """Writes the ids of new sites and devices to the table, so that the next request finds each with one query."""
        self._id_table.remember([self._id_row(vendor, row) for row in rows], deadline)

    def forget(self, vendor: str, keys: Iterable[tuple[type[Record], Key]]) -> None:
        """Deletes the ids of sites and devices that are gone for ever from the table."""
        self._id_table.forget([self._ids.of(kind, vendor, key) for kind, key in keys])

    def _id_row(self, vendor: str, row: ListRow[Any]) -> IdRow:
        return IdRow(self._ids.of(row.kind, vendor, row.key), vendor, TAGS[row.kind], row.key)

    def locate(self, kind: type[Record], id: str, access: VendorAccess, deadline: Deadline) -> IdRow | None:
        """Vendor and key behind an id; None when there are none for this caller.

        A row of a vendor that does not exist for the caller is treated like a missing row, in every step.
        """
        if not Ids.fits(kind, id):
            return None
        id_row = self._id_table.find(id)
        if id_row is not None and (access.knows(id_row.vendor) or self._is_former(id_row.vendor, access)):
            return id_row
        return self._search_lost(kind, id, access, deadline)

    def _is_former(self, vendor: str, access: VendorAccess) -> bool:
        """Whether the caller could once address a vendor that this server no longer has. Its ids are not reported as
        unknown: callers delete what is unknown, and the plugin may be missing by mistake."""
        return vendor not in self._clouds and bool(access.addressable)

    def _search_lost(self, kind: type[Record], id: str, access: VendorAccess, deadline: Deadline) -> IdRow | None:
        """Finds an id that is missing in the table by listing the caller's vendors, and writes all their ids again.

        Raises the failure of a vendor whose list is not complete, as the id may be there.
        """
        results = self._lost_ids.sweep(
            "sites" if kind is Site else "devices", lambda vendor: _list(vendor, kind), access, deadline
        )
        id_rows = [self._id_row(name, row) for name, result in results.items() for row in _rows_in(result)]
        self._id_table.remember(id_rows, deadline, again=True)
        for id_row in id_rows:
            if id_row.id == id:
                return id_row
        failures = [
            (name, result.failure) for name, result in results.items() if result.failure and result.failure.hides_ids
        ]
        failures += access.refused.items()
        if failures:
            vendor, worst = max(failures, key=lambda failed: failed[1].severity)
            raise problem(vendor, worst)
        return None


def _credential(vendor: str, access: VendorAccess) -> Credential:
    """The request's credential of a vendor; raises a Problem when it has none or an unusable one."""
    if vendor in access.credentials:
        return access.credentials[vendor]
    if vendor in access.refused:
        note_failures({vendor: access.refused[vendor].code})
        raise problem(vendor, access.refused[vendor])
    header = f"X-Authorization-{vendor}"
    raise Problem(403, "vendor_access_missing", f"Send the header {header} to read this.", vendor=vendor)


def _merged(
    cached: Mapping[str, tuple[VendorIds, float]],
    ids: Mapping[str, list[str]],
    results: Mapping[str, VendorResult],
    refused: Mapping[str, VendorError],
) -> Listing:
    """One list of the cached and the new ids, with the failures of vendors and of their headers."""
    note_failures({name: failure.code for name, failure in refused.items()})
    all_results = {**results, **{name: VendorResult([], failure) for name, failure in refused.items()}}
    failures = {name: result for name, result in sorted(all_results.items()) if result.failure}
    ages = [age for _, age in cached.values()] + [result.age for result in results.values()]
    all_ids = sorted(chain.from_iterable([*(part.ids for part, _ in cached.values()), *ids.values()]))
    return Listing(all_ids, failures, max(ages, default=0.0))


def _rows_in(result: VendorResult, kind: type[Record] | None = None) -> list[ListRow[Any]]:
    """The list rows of a result, or only those of one kind."""
    return [row for row in result.records if isinstance(row, ListRow) and kind in (None, row.kind)]


def _list(vendor: Vendor, kind: type[Record], site: str | None = None) -> Iterator[ListRow[Any]]:
    """The vendor's sites, or its devices of both kinds; only those of one site if the vendor can be asked for it."""
    if kind is Site:
        yield from vendor.sites()
    elif site is None:
        yield from vendor.devices()
    elif fits_path(site):
        try:
            yield from vendor.devices(site)
        except NotFound:
            # The site belongs to another vendor or does not exist: no device passes the filter.
            return
