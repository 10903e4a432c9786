"""One sweep over one vendor: the records so far, and the failures because of which some are missing."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from vendors.kit.calls.progress import Progress
from vendors.kit.errors import NotOffered, PluginFault, VendorError, worst
from vendors.kit.records import Key, Keyed, kind_of
from vendors.kit.vendor import Vendor

logger = logging.getLogger(__name__)


class Sweep:
    """Records and failures of a sweep. A pool thread fills it; the request may read it before the sweep has ended."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self._records: dict[tuple[type[Any], Key], Keyed] = {}
        self.finished = False

    def run(self, find: Callable[[Vendor], Iterable[Keyed]]) -> None:
        """Collects the records of `find(vendor)`; never raises."""
        progress = self.progress
        try:
            for record in find(self.vendor):
                # Some vendors list a device twice; the row delivered last wins.
                self._records[kind_of(record), record.key] = record
        except NotOffered:
            pass
        except VendorError as failure:
            progress.add(failure)
        except Exception:  # A plugin's fault must not spoil the other vendors.
            logger.exception("a vendor module failed")
            progress.add(PluginFault(why="the vendor module failed"))
        finally:
            self.finished = True

    @property
    def progress(self) -> Progress:
        return self.vendor.client.progress

    @property
    def records(self) -> list[Keyed]:
        """A snapshot of the records so far."""
        return list(self._records.values())

    @property
    def failure(self) -> VendorError | None:
        """The worst failure so far, or None."""
        failures = list(self.progress.failures)
        return worst(failures) if failures else None

    @property
    def incomplete(self) -> str:
        """The text " (incomplete: 12 of 14 sites)" or " (from memory, up to 600 s old)", or both, or ""."""
        missing = self.progress.missing
        notes = [f"incomplete: {missing}"] if missing else []
        if self.progress.is_stale:
            notes.append(f"from memory, up to {round(self.progress.age)} s old")
        return f" ({'; '.join(notes)})" if notes else ""
