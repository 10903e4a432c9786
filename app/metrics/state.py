"""The present state of the process and of the vendors, as gauges."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.metrics.definitions import Instruments
from app.storage.readiness import PartState, Readiness
from vendors.kit.calls.cloud import MAX_SWEEPS, Cloud
from vendors.kit.calls.ledger import Ledger
from vendors.kit.limits import Rate, ReportedQuota

ReadNumber = Callable[[], float]
# The limit that this server keeps to, and the one of which the vendor's answers report how much is left.
KEPT, REPORTED = "kept", "reported"
# Shown in place of a statement that has expired.
WHOLE = ReportedQuota(Rate(1, 1), 1)


@dataclass(frozen=True)
class Parts:
    """The parts of the service whose state is shown."""

    clouds: Mapping[str, Cloud]
    ledger: Ledger
    readiness: Readiness


class StateGauges:
    """Sets the gauges of this process when asked; gunicorn's workers show theirs to each other every few seconds."""

    def __init__(self, instruments: Instruments, parts: Parts) -> None:
        self._gauge = instruments.gauge
        self._parts = parts
        self._readings: dict[str, ReadNumber] = {}
        self._reporting: set[str] = set()
        self._lock = threading.Lock()

    def read(self, readings: Mapping[str, ReadNumber]) -> None:
        """From now on sets these gauges as well, each to the number that its function returns."""
        self._readings |= readings

    def publish(self) -> None:
        """Sets all gauges to the present state."""
        with self._lock:
            for name, number in self._readings.items():
                self._gauge(name).set(number())
            self._publish_cache()
            for name, cloud in self._parts.clouds.items():
                self._publish_cloud(name, cloud)
            self._publish_limits()
            self._publish_dependencies()

    def _publish_cache(self) -> None:
        """All clouds share one cache."""
        for cloud in list(self._parts.clouds.values())[:1]:
            self._gauge("derapi_cached_replies").set(cloud.reply_cache.count)
            self._gauge("derapi_cached_reply_bytes").set(cloud.reply_cache.bytes)

    def _publish_cloud(self, name: str, cloud: Cloud) -> None:
        breakers = {region: cloud.breakers[base] for region, base in cloud.urls.items()} | dict(cloud.token_breakers)
        for region, breaker in breakers.items():
            self._gauge("derapi_vendor_breaker_open").labels(name, region).set(breaker.is_open)
        self._gauge("derapi_vendor_sweep_slots").labels(name).set(MAX_SWEEPS)
        self._gauge("derapi_vendor_sweep_slots_in_use").labels(name).set(cloud.sweep_slots.taken)
        threads = self._gauge("derapi_vendor_threads_in_use")
        threads.labels(name, "sweep").set(cloud.sweep_threads.busy)
        threads.labels(name, "call").set(cloud.call_threads.busy)

    def _publish_limits(self) -> None:
        clouds, ledger = self._parts.clouds, self._parts.ledger
        holds = ledger.holds()
        for name in clouds:
            count, until = holds.get(name, (0, 0.0))
            self._gauge("derapi_vendor_groups_held").labels(name).set(count)
            self._gauge("derapi_vendor_held_until_timestamp_seconds").labels(name).set(until)
        rates = {name: cloud.quota.rate for name, cloud in clouds.items() if cloud.quota.rate}
        for name, left in ledger.least_left(rates).items():
            self._publish_quota(name, KEPT, left, rates[name])
        reported = ledger.least_reported()
        # A value that has been set stays in the file of the process: when its statement expires, it has to be replaced.
        self._reporting |= reported.keys()
        for name in self._reporting:
            statement = reported.get(name, WHOLE)
            self._publish_quota(name, REPORTED, statement.left, statement.rate)

    def _publish_quota(self, vendor: str, source: str, left: int, rate: Rate) -> None:
        self._gauge("derapi_vendor_quota_left_ratio").labels(vendor, source).set(left / max(1, rate.calls))

    def _publish_dependencies(self) -> None:
        for dependency, state in self._parts.readiness.parts().items():
            self._gauge("derapi_dependency_up").labels(dependency).set(state is not PartState.UNAVAILABLE)
