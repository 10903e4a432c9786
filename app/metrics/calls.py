"""Counts vendor calls, as an observer of their events."""

from collections.abc import Callable

from app.metrics.definitions import Instruments
from vendors.kit.calls.events import CallEvent, CallKind

# Adds an event to a metric whose labels are resolved.
Count = Callable[[CallEvent], None]


class CallMetrics:
    """Resolves the labels of a metric when it first counts for them, since that takes longer than to count."""

    def __init__(self, instruments: Instruments) -> None:
        self._seconds = instruments.histogram("derapi_vendor_call_seconds")
        self._ages = instruments.histogram("derapi_vendor_cached_reply_age_seconds")
        self._retries = instruments.counter("derapi_vendor_retries_total")
        self._renewals = instruments.counter("derapi_vendor_token_renewals_total")
        self._refused = instruments.counter("derapi_vendor_calls_refused_total")
        self._unreadable = instruments.counter("derapi_vendor_replies_unreadable_total")
        self._shared = instruments.counter("derapi_vendor_calls_shared_total")
        self._counts: dict[tuple[CallKind, str, str, bool], Count] = {}
        self._list_ages: dict[str, Callable[[float], None]] = {}

    def observe(self, event: CallEvent) -> None:
        """Counts an event."""
        kind = event.kind
        if kind is CallKind.SENDING:  # Counted when it has ended.
            if event.attempt > 1:
                self._retries.labels(event.vendor).inc()
            return
        key = kind, event.vendor, event.code, event.is_renewal
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = self._count_of(event)
        count(event)

    def list_reused(self, vendor: str, age: float) -> None:
        """Counts a vendor's part of a list that is made again of the same replies, without a look at them."""
        observe = self._list_ages.get(vendor)
        if observe is None:
            observe = self._list_ages[vendor] = self._ages.labels(vendor, "list").observe
        observe(age)

    def _count_of(self, event: CallEvent) -> Count:
        match event.kind:
            case CallKind.SENT if event.is_renewal:
                increment = self._renewals.labels(event.vendor, event.code).inc
            case CallKind.SENT:
                return _add_seconds(self._seconds.labels(event.vendor, event.code).observe)
            case CallKind.CACHED:
                return _add_seconds(self._ages.labels(event.vendor, "fresh").observe)
            case CallKind.STALE:
                return _add_seconds(self._ages.labels(event.vendor, "stale").observe)
            case CallKind.UNREADABLE:
                increment = self._unreadable.labels(event.vendor).inc
            case CallKind.SHARED:
                increment = self._shared.labels(event.vendor).inc
            case _:
                increment = self._refused.labels(event.vendor, event.code).inc
        return lambda event: increment()


def _add_seconds(observe: Callable[[float], None]) -> Count:
    return lambda event: observe(event.seconds)
