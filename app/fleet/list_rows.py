"""Rows of lists: how a vendor is asked for them, and which of them a list contains."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.fleet.fanout import SweepResult
from vendors.kit import ListRow, NotFound, Site, Vendor
from vendors.kit.parsing.ids_in_paths import fits_path
from vendors.kit.records import Record


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
class ListedRows:
    """Rows that one credential contributes to a list, and their public ids in the same order."""

    result: SweepResult
    rows: list[ListRow[Any]]
    ids: list[str]


def rows_in(result: SweepResult, kind: type[Record] | None = None) -> list[ListRow[Any]]:
    """The list rows of a result, or only those of one kind."""
    return [row for row in result.records if isinstance(row, ListRow) and kind in (None, row.kind)]


def list_rows(vendor: Vendor, kind: type[Record], site: str | None = None) -> Iterator[ListRow[Any]]:
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
