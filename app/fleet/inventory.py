"""Sites and devices over all vendors that a request may reach: lists, and the way from an id to its device."""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from app.fleet import fanout
from app.fleet.fanout import SweepResult
from app.fleet.ids import TAGS, Ids
from app.fleet.list_cache import ListCache, VendorIds
from app.fleet.list_rows import Filters, ListedRows, list_rows, rows_in
from app.fleet.lost_ids import LostIdSearch
from app.fleet.reading import ReadResult, read_in_turn
from app.fleet.shown_by import ShownBy
from app.fleet.vendor_access import VendorAccess
from app.fleet.vendor_problems import VendorFailure, failures_by_vendor, no_access_to, unknown_id
from app.storage.id_table import IdRow, IdTable
from app.web.log import note_failures
from vendors.kit import Credential, Key, ListRow, Site, Vendor
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.deadline import Deadline
from vendors.kit.records import Keyed, Record


@dataclass(frozen=True, slots=True)
class Listing:
    """Sorted ids, and by vendor the failure because of which ids are missing or stale."""

    ids: list[str]
    failures: dict[str, VendorFailure]
    age: float = 0.0
    """Seconds since the oldest reply that was reused."""


class Inventory:
    """Lists ids, and reads the site or device behind an id from its vendor.

    reused: called when a vendor's ids come from the cache, with the vendor and their age in seconds.
    """

    def __init__(
        self,
        clouds: Mapping[str, Cloud],
        ids: Ids,
        id_table: IdTable,
        clock: Callable[[], float] = time.monotonic,
        reused: Callable[[str, float], None] = lambda vendor, age: None,
    ) -> None:
        self._clouds, self._ids, self._id_table = clouds, ids, id_table
        self._lost_ids = LostIdSearch(clouds, clock)
        self._list_cache = ListCache(clouds, id_table)
        self._shown_by = ShownBy()
        self._reused = reused

    def listing(
        self, kind: type[Record], access: VendorAccess, filters: Filters, deadline: Deadline, mode: Mode
    ) -> Listing:
        """Ids of one kind that pass the filters. Vendors that fail are named, not raised."""
        if filters.vendor is not None:
            access = access.only(filters.vendor)
        subject = (kind, filters)
        cached: list[VendorIds] = []
        uncached: Mapping[str, Sequence[Credential]] = access.credentials
        if mode is Mode.REUSE:
            cached, uncached = self._from_cache(access.credentials, subject)
        results = self._fan_out(uncached, kind, filters, deadline, mode)
        listed = [self._listed(result, kind, filters) for result in results]
        self._store(listed, deadline)
        for part in listed:
            vendor, credential = part.result.vendor, part.result.credential
            self._list_cache.keep(vendor, credential, subject, VendorIds(part.ids, part.result.sources))
            self._note_shown(part.ids, part.result, access)
        cached += [VendorIds(part.ids, part.result.sources, part.result.age) for part in listed]
        return _merged(cached, failures_by_vendor(results, access.refused, access.credentials))

    def _from_cache(
        self, credentials: Mapping[str, Sequence[Credential]], subject: Hashable
    ) -> tuple[list[VendorIds], dict[str, list[Credential]]]:
        """The cached ids, and the credentials whose ids are not cached."""
        cached: list[VendorIds] = []
        uncached: dict[str, list[Credential]] = {}
        for vendor, owned in credentials.items():
            for credential in owned:
                entry = self._list_cache.unchanged(vendor, credential, subject)
                if entry is None:
                    uncached.setdefault(vendor, []).append(credential)
                else:
                    cached.append(entry)
                    self._reused(vendor, entry.age)
        return cached, uncached

    def _fan_out(
        self,
        credentials: Mapping[str, Sequence[Credential]],
        kind: type[Record],
        filters: Filters,
        deadline: Deadline,
        mode: Mode,
    ) -> list[SweepResult]:
        """Lists these vendors. Their rows lose the vendor's JSON, which a list does not need, to free its memory."""

        def find(vendor: Vendor) -> Iterator[ListRow[Any]]:
            for row in list_rows(vendor, kind, filters.vendor_site_id):
                row.release_raw()
                yield row

        return fanout.fan_out(self._clouds, credentials, find, deadline, mode) if credentials else []

    def _listed(self, result: SweepResult, kind: type[Record], filters: Filters) -> ListedRows:
        """The result's rows that pass the filters, with their ids."""
        rows = filters.passed(rows_in(result, kind))
        return ListedRows(result, rows, [self._ids.of(row.kind, result.vendor, row.key) for row in rows])

    def _store(self, listed: Iterable[ListedRows], deadline: Deadline) -> None:
        """Writes the ids that this process has not yet written to the table, so that each can be read at once."""
        new = [
            IdRow(id, part.result.vendor, TAGS[row.kind], row.key)
            for part in listed
            if part.result.vendor not in self._id_table.stored and not self._id_table.knows(part.ids)
            for id, row in zip(part.ids, part.rows, strict=True)
        ]
        self._id_table.remember(new, deadline)

    def _note_shown(self, ids: Iterable[str], result: SweepResult, access: VendorAccess) -> None:
        """Remembers the credential that showed these ids, if there is a choice."""
        if len(access.credentials[result.vendor]) > 1:
            self._shown_by.remember(ids, result.credential)

    def read(
        self,
        kind: type[Record],
        id: str,
        access: VendorAccess,
        deadline: Deadline,
        mode: Mode,
        find: Callable[[Key, Vendor], Iterable[Keyed]],
        expected: type[Keyed],
    ) -> ReadResult:
        """The records that `find` reads of one site or device at its vendor.

        expected: the kind of record without which the read has failed. Of several credentials, each is then asked in
        turn. Raises a Problem (403, 404, 502, 503 or 504) when the id leads nowhere or the vendor may not be asked. A
        failure of the vendor is in the result, since a part of the records may have arrived.
        """
        id_row = self.locate(kind, id, access, deadline)
        if id_row is None:
            raise unknown_id()
        vendor, credentials = id_row.vendor, _credentials(id_row.vendor, access)

        def ask(credential: Credential) -> SweepResult:
            only = {vendor: [credential]}
            [result] = fanout.fan_out(self._clouds, only, lambda plugin: find(id_row.key, plugin), deadline, mode)
            return result

        last, refused = self._shown_by.last(id, credentials), access.hiding.get(vendor, ())
        sweep, failed = read_in_turn(ask, credentials, last, refused, expected, deadline)
        if sweep.has(expected):
            self._note_shown([id], sweep, access)
        failures = {vendor: VendorFailure(failed)} if failed else {}
        _note(failures)
        return ReadResult(sweep, failures, self._clouds[vendor].vendor.lag)

    def plugin(
        self, kind: type[Record], id: str, access: VendorAccess, deadline: Deadline
    ) -> tuple[IdRow, type[Vendor]]:
        """Vendor and key behind an id, and the vendor's plugin. Raises a Problem as `read` does."""
        id_row = self.locate(kind, id, access, deadline)
        if id_row is None:
            raise unknown_id()
        _credentials(id_row.vendor, access)
        return id_row, self._clouds[id_row.vendor].vendor

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
            "sites" if kind is Site else "devices", lambda vendor: list_rows(vendor, kind), access, deadline
        )
        shown = [(result, [self._id_row(result.vendor, row) for row in rows_in(result)]) for result in results]
        self._id_table.remember([id_row for _, id_rows in shown for id_row in id_rows], deadline, again=True)
        for result, id_rows in shown:
            self._note_shown([id_row.id for id_row in id_rows], result, access)
        for id_row in chain.from_iterable(id_rows for _, id_rows in shown):
            if id_row.id == id:
                return id_row
        hiding = [result for result in results if result.failure and result.failure.hides_ids]
        failures = failures_by_vendor(hiding, access.hiding)
        if failures:
            _note(failures)
            vendor = max(failures, key=lambda name: failures[name].worst.severity)
            raise failures[vendor].problem(vendor)
        return None


def _credentials(vendor: str, access: VendorAccess) -> Sequence[Credential]:
    """The request's credentials of a vendor; raises a Problem when it has none or no usable one."""
    if vendor in access.credentials:
        return access.credentials[vendor]
    if vendor in access.refused:
        failure = VendorFailure(access.refused[vendor])
        _note({vendor: failure})
        raise failure.problem(vendor)
    raise no_access_to(vendor)


def _note(failures: Mapping[str, VendorFailure]) -> None:
    """Adds the failures to the log line of the request."""
    note_failures({vendor: failure.worst.code for vendor, failure in failures.items()})


def _merged(parts: Sequence[VendorIds], failures: dict[str, VendorFailure]) -> Listing:
    """One list of the ids of all credentials, with the failures of vendors. Several credentials may show one site."""
    _note(failures)
    ids = sorted(set(chain.from_iterable(part.ids for part in parts)))
    return Listing(ids, failures, max((part.age for part in parts), default=0.0))
