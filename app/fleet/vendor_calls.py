"""Counts the vendor calls of each request, for the header X-Vendor-Calls: what costs a vendor's quota, and no more."""

import threading
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from vendors.kit.calls.events import CallEvent, CallKind

HEADER = "X-Vendor-Calls"


@dataclass(slots=True)
class Count:
    """The calls of one request to one vendor."""

    calls: int = 0
    """First attempts; another region, or a path that an id has moved to, is one more."""
    retries: int = 0
    renewals: int = 0
    """Calls for an access token."""
    under_way: int = 0
    """Sweeps and calls that have begun and not ended."""

    def __str__(self) -> str:
        """A value with parameters in a dictionary of RFC 9651; parameters that are 0 are left out."""
        parameters = [f";{name}={count}" for name, count in self._apart if count]
        return f"{self.calls}{''.join(parameters)}{';incomplete' if self.under_way else ''}"

    @property
    def _apart(self) -> Iterable[tuple[str, int]]:
        return ("retries", self.retries), ("renewals", self.renewals)


class VendorCalls:
    """The calls of one request. All threads that work for the request share it."""

    def __init__(self, vendors: Iterable[str]) -> None:
        """`vendors`: those that the request addresses, which are listed without a call as well."""
        self._counts = {vendor: Count() for vendor in vendors}
        self._lock = threading.Lock()

    def __str__(self) -> str:
        with self._lock:
            return ", ".join(f"{vendor}={count}" for vendor, count in sorted(self._counts.items()))

    def count(self, event: CallEvent) -> None:
        """Counts an exchange when it begins, which is when it costs, and notes its end."""
        is_beginning = event.kind is CallKind.SENDING
        with self._lock:
            count = self._counts.setdefault(event.vendor, Count())
            count.under_way += 1 if is_beginning else -1
            if not is_beginning:
                return
            if event.is_renewal:
                count.renewals += 1
            elif event.attempt > 1:
                count.retries += 1
            else:
                count.calls += 1

    def change_under_way(self, vendor: str, by: int) -> None:
        """Notes that a sweep begins (1) or ends (-1)."""
        with self._lock:
            self._counts.setdefault(vendor, Count()).under_way += by


_current: ContextVar[VendorCalls | None] = ContextVar("vendor_calls", default=None)


def begin(vendors: Iterable[str]) -> None:
    """Begins to count the calls that are made in this context and in copies of it."""
    _current.set(VendorCalls(vendors))


def end() -> None:
    """Ends the count in this context; threads that are still at work go on in theirs."""
    _current.set(None)


def current() -> VendorCalls | None:
    """The count of this context."""
    return _current.get()


def observe(event: CallEvent) -> None:
    """The observer of all vendor calls."""
    if event.kind in (CallKind.SENDING, CallKind.SENT) and (calls := _current.get()):
        calls.count(event)
