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
from vendors.kit import (
    Cloud,
    Deadline,
    Key,
    Keyed,
    Mode,
    NotFound,
    Record,
    Site,
    Vendor,
    fits_path,
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; all that are given must hold."""

    vendor: str | None = None
    vendor_site_id: str | None = None
    vendor_id: str | None = None

    def passed(self, records: list[Record]) -> list[Record]:
        """Those that pass."""
        if self.vendor_id is None and self.vendor_site_id is None:
            return records
        return [record for record in records if self._let_pass(record)]

    def _let_pass(self, record: Record) -> bool:
        if self.vendor_id is not None and record.vendor_id != self.vendor_id:
            return False
        return self.vendor_site_id is None or isinstance(record, Site) or record.vendor_site_id == self.vendor_site_id


@dataclass(frozen=True, slots=True)
class Listing:
    """Sorted ids, and by vendor why some are missing or old."""

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
        self._healing = LostIdSearch(clouds, clock)
        self._recall = ListCache(clouds, resources)

    def listing(
        self, kind: type[Record], access: VendorAccess, filters: Filters, deadline: Deadline, mode: Mode
    ) -> Listing:
        """Everything of one kind that the filters let pass. Vendors that fail are named, not raised."""
        # The access of virtual clients is empty; and no cloud stands behind the filter for their devices.
        if access and filters.vendor is not None:
            access = access.only(filters.vendor) if filters.vendor in self._clouds else VendorAccess()
        about = (kind, filters)
        unchanged = self._recall.unchanged(access.credentials, about) if mode is Mode.REUSE else {}
        parts = {name: part for name, (part, _) in unchanged.items()}
        ages = [age for _, age in unchanged.values()]
        rest = {name: found for name, found in access.credentials.items() if name not in parts}

        def find(vendor: Vendor) -> Iterator[Record]:
            for record in _of_kind(vendor, kind, filters.vendor_site_id):
                record.forget_row()
                yield record

        outcomes = fanout.fan_out(self._clouds, rest, find, deadline, mode) if rest else {}
        passed = {
            name: filters.passed([one for one in outcome.records if isinstance(one, kind)])
            for name, outcome in outcomes.items()
        }
        made = {name: [self._ids.of(kind, name, one.key) for one in records] for name, records in passed.items()}
        self._remember_new(passed, made, deadline)
        for name, ids in made.items():
            parts[name] = VendorIds(ids, outcomes[name].sources)
            self._recall.keep(name, rest[name], about, parts[name])
        ages += [outcome.age for outcome in outcomes.values()]
        outcomes |= {vendor: VendorResult([], failure) for vendor, failure in access.refused.items()}
        failures = {vendor: outcome for vendor, outcome in sorted(outcomes.items()) if outcome.failure}
        note_failures({vendor: failure.code for vendor, failure in access.refused.items()})
        all_ids = sorted(chain.from_iterable(part.ids for part in parts.values()))
        return Listing(all_ids, failures, max(ages, default=0.0))

    def _remember_new(
        self, records: Mapping[str, Sequence[Record]], ids: Mapping[str, Sequence[str]], deadline: Deadline
    ) -> None:
        unknown = [
            IdRow(id, name, TAGS[type(record)], record.key)
            for name in records
            if not self._resources.knows(ids[name])
            for id, record in zip(ids[name], records[name], strict=True)
        ]
        self._resources.remember(unknown, deadline)

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
        self._resources.remember((self._locate(vendor, one) for one in records if isinstance(one, Record)), deadline)

    def _locate(self, vendor: str, record: Record) -> IdRow:
        kind = type(record)
        return IdRow(self._ids.of(kind, vendor, record.key), vendor, TAGS[kind], record.key)

    def _find(self, kind: type[Record], id: str, access: VendorAccess, deadline: Deadline) -> IdRow:
        located = None
        if Ids.fits(kind, id):
            located = self._resources.find(id) or self._heal(kind, id, access, deadline)
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

    def _heal(self, kind: type[Record], id: str, access: VendorAccess, deadline: Deadline) -> IdRow | None:
        """Finds an id whose row is lost by asking the vendors, and writes all rows that it sees again.

        Raises the failure of a vendor that could not be asked wholly, as the id may be there.
        """
        outcomes = self._healing.sweep(
            "sites" if kind is Site else "devices", lambda vendor: _of_kind(vendor, kind), access, deadline
        )
        located = [
            self._locate(name, record)
            for name, outcome in outcomes.items()
            for record in outcome.records
            if isinstance(record, Record)
        ]
        self._resources.remember(located, deadline, again=True)
        for found in located:
            if found.id == id:
                return found
        failures = [(name, outcome.failure) for name, outcome in outcomes.items() if outcome.failure]
        failures += access.refused.items()
        if failures:
            raise problem(*max(failures, key=lambda failed: failed[1].severity))
        return None


def _of_kind(vendor: Vendor, kind: type[Record], site: str | None = None) -> Iterator[Record]:
    """The records of a kind; those of one site where the vendor can be asked so."""
    if kind is Site:
        yield from vendor.sites()
    elif site is None:
        yield from vendor.devices()
    elif fits_path(site):
        try:
            yield from vendor.devices(site)
        except NotFound:
            # The id is another vendor's, or nobody's: nothing passes the filter.
            return
