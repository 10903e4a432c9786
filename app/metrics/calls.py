"""Counts vendor calls, as an observer of their events.

The threads of the calls only collect the events. They are counted at the end of a request, before its response leaves,
and by each look at the metrics: many at a time, while the code that counts is in the CPU's cache. Counted one by one in
six threads they took 6 % of the CPU of a request to six vendors (November 2026, docs/monitoring.md). A process that is
killed loses the events of requests that it has not answered.
"""

from collections import deque
from collections.abc import Callable

from prometheus_client import Counter

from app.metrics.definitions import Instruments
from app.metrics.reuse import FRESH, STALE, ReuseMetrics
from vendors.kit.calls.events import CallEvent, CallKind


class CallMetrics:
    """Resolves the labels of a metric when it first counts for them, since that takes longer than to count."""

    def __init__(self, instruments: Instruments, reuse: ReuseMetrics) -> None:
        self._reuse = reuse
        self._seconds = instruments.histogram("derapi_vendor_call_seconds")
        self._renewals = instruments.counter("derapi_vendor_token_renewals_total")
        self._retries = instruments.counter("derapi_vendor_retries_total")
        self._refused = instruments.counter("derapi_vendor_calls_refused_total")
        self._unreadable = instruments.counter("derapi_vendor_replies_unreadable_total")
        self._shared = instruments.counter("derapi_vendor_calls_shared_total")
        # Of data calls, which are most: by vendor and outcome.
        self._observers: dict[tuple[str, str], Callable[[float], None]] = {}
        self._counters: dict[tuple[CallKind, str, str], Counter] = {}
        self._events: deque[CallEvent] = deque()
        self.observe: Callable[[CallEvent], None] = self._events.append
        """Takes an event."""

    def count_events(self) -> None:
        """Counts the events so far. Several threads may do so at once: each event is counted by one."""
        while True:
            try:
                event = self._events.popleft()
            except IndexError:
                return
            kind = event.kind
            if kind is CallKind.SENT and not event.is_renewal:
                self._observe_call(event)
            elif kind is CallKind.CACHED or kind is CallKind.STALE:
                self._reuse.add(event.vendor, FRESH if kind is CallKind.CACHED else STALE, event.seconds)
            elif kind is not CallKind.SENDING or event.attempt > 1:
                self._count(event)

    def _observe_call(self, event: CallEvent) -> None:
        key = event.vendor, event.code
        observe = self._observers.get(key)
        if observe is None:
            observe = self._observers[key] = self._seconds.labels(*key).observe
        observe(event.seconds)

    def _count(self, event: CallEvent) -> None:
        key = event.kind, event.vendor, event.code
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._counter_of(event)
        counter.inc()

    def _counter_of(self, event: CallEvent) -> Counter:
        match event.kind:
            case CallKind.SENT:
                return self._renewals.labels(event.vendor, event.code)
            case CallKind.SENDING:
                return self._retries.labels(event.vendor)
            case CallKind.UNREADABLE:
                return self._unreadable.labels(event.vendor)
            case CallKind.SHARED:
                return self._shared.labels(event.vendor)
            case _:
                return self._refused.labels(event.vendor, event.code)
