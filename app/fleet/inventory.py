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
from app.fleet.vendor_access import VendorAccess
from app.fleet.vendor_problems import describe, problem
from app.storage.id_table import IdRow, Resources
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


@dataclass(frozen=True, slots=True)
class Found:
    """What one vendor gave for one question."""

    vendor: str
    outcome: VendorResult

    @property
    def records(self) -> list[Keyed]:
        return self.outcome.records

    @property
    def age(self) -> float:
        return self.outcome.age

    @property
    def errors(self) -> dict[str, str]:
        """As a list has it: why something may be old or missing."""
        return {self.vendor: self.outcome.error} if self.outcome.failure else {}

    @property
    def error_details(self) -> dict[str, dict[str, Any]]:
        """The same for programs."""
        return {self.vendor: describe(self.outcome.failure)} if self.outcome.failure else {}

    def problem(self) -> Problem:
        """Why nothing came: the vendor's failure, or a vendor that lists things and reads none of them alone."""
        if self.outcome.failure:
            return problem(self.vendor, self.outcome.failure)
        return Problem(404, "not_offered", f"{self.vendor} does not offer details of this, only its place in lists.")


class Inventory:
    def __init__(
        self,
        clouds: Mapping[str, Cloud],
        ids: Ids,
        resources: Resources,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clouds, self._ids, self._resources = clouds, ids, resources
        self._lost_ids = LostIdSearch(clouds, clock)
        self._list_cache = ListCache(clouds, resources)

    def listing(
        self, kind: type[Record], access: VendorAccess, filters: Filters, deadline: Deadline, mode: Mode
    ) -> Listing:
        """Ids of one kind that pass the filters. Vendors that fail are named, not raised."""
        # A virtual client has no credentials and no vendor clouds, so its list is empty whatever the filter.
        if access and filters.vendor is not None:
            access = access.only(filters.vendor) if filters.vendor in self._clouds else VendorAccess()
        subject = (kind, filters)
        cached = self._list_cache.unchanged(access.credentials, subject) if mode is Mode.REUSE else {}
        rest = {name: value for name, value in access.credentials.items() if name not in cached}
        results = self._fan_out(rest, kind, filters, deadline, mode)
        rows = {name: filters.passed(_rows_in(result, kind)) for name, result in results.items()}
        ids = self._identify(rows)
        self._store(rows, ids, deadline)
        for name, credential in rest.items():
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
        """Lists these vendors; nothing is left of their rows but the ids."""

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
            if not self._resources.knows(ids[name])
            for id, row in zip(ids[name], rows[name], strict=True)
        ]
        self._resources.remember(new, deadline)

    def ask_one(
        self,
        kind: type[Record],
        id: str,
        access: VendorAccess,
        deadline: Deadline,
        mode: Mode,
        find: Callable[[Key, Vendor], Iterable[Keyed]],
    ) -> Found:
        """What `find` gives for the thing with this id at its vendor; raises a Problem: 403, 404, 502, 503 or 504.

        The vendor's own failure is not raised: something may have come all the same.
        """
        located = self._find(kind, id, access, deadline)
        self._demand(located, access)
        outcome = fanout.fan_out(
            self._clouds,
            {located.vendor: access.credentials[located.vendor]},
            lambda vendor: find(located.key, vendor),
            deadline,
            mode,
        )[located.vendor]
        return Found(located.vendor, outcome)

    def id_of(self, vendor: str, kind: type[Record], key: Key) -> str:
        return self._ids.of(kind, vendor, key)

    def remember(self, vendor: str, records: Iterable[Keyed], deadline: Deadline) -> None:
        """Writes where the ids of these lead, as a list of them would."""
        self._resources.remember((self._locate(vendor, one) for one in records if isinstance(one, ListRow)), deadline)

    def _locate(self, vendor: str, row: ListRow[Any]) -> IdRow:
        kind, key = row.kind, row.key
        return IdRow(self._ids.of(kind, vendor, key), vendor, TAGS[kind], key)

    def _find(self, kind: type[Record], id: str, access: VendorAccess, deadline: Deadline) -> IdRow:
        located = None
        if Ids.fits(kind, id):
            located = self._resources.find(id) or self._search_lost(kind, id, access, deadline)
        if located is None:
            raise Problem(404, "not_found", "There is nothing with this id, or not for these vendor credentials.")
        return located

    def _demand(self, located: IdRow, access: VendorAccess) -> None:
        if located.vendor in access.credentials:
            return
        if located.vendor in access.refused:
            note_failures({located.vendor: access.refused[located.vendor].code})
            raise problem(located.vendor, access.refused[located.vendor])
        header = f"X-Authorization-{located.vendor}"
        raise Problem(403, "vendor_access_missing", f"Send the header {header} to read this.", vendor=located.vendor)

    def _search_lost(self, kind: type[Record], id: str, access: VendorAccess, deadline: Deadline) -> IdRow | None:
        """Finds an id that is missing in the table by listing the caller's vendors, and writes all their ids again.

        Raises the failure of a vendor whose list is not complete, as the id may be there.
        """
        results = self._lost_ids.sweep(
            "sites" if kind is Site else "devices", lambda vendor: _list(vendor, kind), access, deadline
        )
        id_rows = [self._locate(name, row) for name, result in results.items() for row in _rows_in(result)]
        self._resources.remember(id_rows, deadline, again=True)
        for id_row in id_rows:
            if id_row.id == id:
                return id_row
        failures = [(name, result.failure) for name, result in results.items() if result.failure]
        failures += access.refused.items()
        if failures:
            raise problem(*max(failures, key=lambda failed: failed[1].severity))
        return None


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
