"""Every metric of the service, in one table; docs/monitoring.md shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# A cached reply answers in milliseconds; a vendor's cloud in 50 ms at best, and a request ends after 20 s.
REQUEST_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0)
CALL_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)


@dataclass(frozen=True)
class Definition:
    """A metric. No label holds an id, a credential or a path as it was sent.

    buckets: upper bounds, for a histogram. over_processes: how a gauge's values in the living processes become one.
    """

    kind: type[Counter | Gauge | Histogram]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    over_processes: str = ""

    def create(self, registry: CollectorRegistry) -> Any:
        """The metric, registered."""
        options: dict[str, Any] = {"buckets": self.buckets} if self.buckets else {}
        if self.over_processes:
            options["multiprocess_mode"] = f"live{self.over_processes}"
        return self.kind(self.name, self.help, self.labels, registry=registry, **options)


# A gauge that is a minimum has labels: without, gunicorn's master, which serves nothing, would add a 0.
DEFINITIONS = (
    Definition(Counter, "derapi_requests_total", "Requests answered.", ("route", "method", "status")),
    Definition(Histogram, "derapi_request_seconds", "Duration of requests.", ("route",), REQUEST_SECONDS),
    Definition(Counter, "derapi_requests_refused_total", "Requests refused before any route saw them.", ("status",)),
    Definition(Gauge, "derapi_request_threads", "Threads for requests.", over_processes="sum"),
    Definition(Gauge, "derapi_request_threads_in_use", "Requests in progress.", over_processes="sum"),
    Definition(Gauge, "derapi_requests_waiting", "Requests that wait for a thread.", over_processes="sum"),
    Definition(Gauge, "derapi_connections", "Open connections of clients.", over_processes="sum"),
    Definition(Gauge, "derapi_workers", "Worker processes that serve.", over_processes="sum"),
    Definition(Counter, "derapi_worker_starts_total", "Starts of worker processes."),
    Definition(Counter, "derapi_worker_deaths_total", "Ends of worker processes that no stop or reload had ordered."),
    Definition(
        Histogram,
        "derapi_vendor_call_seconds",
        "Duration of vendor calls, by outcome: ok, or the code of the failure.",
        ("vendor", "outcome"),
        CALL_SECONDS,
    ),
    Definition(Counter, "derapi_vendor_calls_refused_total", "Calls not made, by reason.", ("vendor", "reason")),
    Definition(
        Counter,
        "derapi_vendor_replies_unreadable_total",
        "Replies to successful calls that could not be read, wholly or in part.",
        ("vendor",),
    ),
    Definition(Counter, "derapi_vendor_retries_total", "Second attempts of calls.", ("vendor",)),
    Definition(Counter, "derapi_vendor_calls_shared_total", "Calls that waited for an equal one.", ("vendor",)),
    Definition(
        Counter, "derapi_vendor_token_renewals_total", "Calls for access tokens, by outcome.", ("vendor", "outcome")
    ),
    Definition(
        Counter,
        "derapi_vendor_cached_replies_used_total",
        "Uses of cached replies: fresh, stale in place of a failed call, or all of a list.",
        ("vendor", "use"),
    ),
    Definition(
        Counter,
        "derapi_vendor_cached_replies_used_age_seconds_total",
        "Sum of the ages of these replies; of a list, that of the oldest.",
        ("vendor", "use"),
    ),
    Definition(Gauge, "derapi_cached_replies", "Replies in the caches.", over_processes="sum"),
    Definition(Gauge, "derapi_cached_reply_bytes", "Memory of the cached replies.", over_processes="sum"),
    Definition(
        Gauge,
        "derapi_vendor_breaker_open",
        "1 while calls are refused because the vendor is down, in any process.",
        ("vendor", "region"),
        over_processes="max",
    ),
    Definition(
        Gauge,
        "derapi_vendor_quota_left_ratio",
        "Part of its quota that is left to the credential with the smallest part; 1 while no statement is valid.",
        ("vendor", "source"),
        over_processes="min",
    ),
    Definition(
        Gauge,
        "derapi_vendor_groups_held",
        "Limit groups that make no call until a time, after a 429 or a spent quota.",
        ("vendor",),
        over_processes="max",
    ),
    Definition(
        Gauge,
        "derapi_vendor_held_until_timestamp_seconds",
        "Time until which the longest of them is held; 0 if none is.",
        ("vendor",),
        over_processes="max",
    ),
    Definition(
        Gauge, "derapi_vendor_sweep_slots", "Sweeps that may be made concurrently.", ("vendor",), over_processes="sum"
    ),
    Definition(
        Gauge, "derapi_vendor_sweep_slots_in_use", "Sweeps in progress.", ("vendor",), over_processes="sum"
    ),
    Definition(
        Gauge,
        "derapi_vendor_threads_in_use",
        "Threads at work, for sweeps or for the calls within.",
        ("vendor", "pool"),
        over_processes="sum",
    ),
    Definition(
        Gauge,
        "derapi_dependency_up",
        "0 while the database, or Redis, does not answer a process.",
        ("dependency",),
        over_processes="min",
    ),
)  # fmt: skip


class Instruments:
    """The metrics of one application, by name."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._by_name: Mapping[str, Any] = {definition.name: definition.create(registry) for definition in DEFINITIONS}

    def counter(self, name: str) -> Counter:
        """The counter of this name."""
        return cast(Counter, self._by_name[name])

    def gauge(self, name: str) -> Gauge:
        """The gauge of this name."""
        return cast(Gauge, self._by_name[name])

    def histogram(self, name: str) -> Histogram:
        """The histogram of this name."""
        return cast(Histogram, self._by_name[name])
