"""A vendor cloud as this process reaches it: its addresses, connections, threads and kept replies."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from cachetools import LRUCache

from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.bulkhead import Bulkhead
from vendors.kit.calls.call_log import CallLog
from vendors.kit.calls.client import Client
from vendors.kit.calls.quota import Budget, Ledger, Rate
from vendors.kit.calls.reply_cache import FetchResult, Mode, Replies
from vendors.kit.calls.retry_budget import Retries
from vendors.kit.calls.single_flight import Flights
from vendors.kit.calls.thread_pool import Threads
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.http.connection_pool import CONNECTIONS
from vendors.kit.http.transport import Transport
from vendors.kit.vendor import Vendor

# Sweeps of one vendor at a time in one process. Below the number of request threads of a worker (64), so
# that a vendor that hangs cannot hold them all.
MAX_SWEEPS = 48
# Of them for one credential.
MAX_SWEEPS_OF_ONE = 24


@dataclass
class Cloud:
    """Shared by all requests. Its pools start their threads on first use, after gunicorn's fork."""

    name: str
    vendor: type[Vendor]
    urls: Mapping[str, str]
    transport: Transport
    replies: Replies
    budget: Budget
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """Key of fingerprints, so that nothing in memory tells a credential. Processes that share a ledger share it."""
    pause: float = 1.0
    """Scales the pause before a retry; tests set 0."""
    places: Bulkhead = field(default_factory=lambda: Bulkhead(MAX_SWEEPS, MAX_SWEEPS_OF_ONE))

    def __post_init__(self) -> None:
        self._homes: LRUCache[bytes, str] = LRUCache(10_000)
        self.flights: Flights[FetchResult] = Flights()
        self.retries = Retries()
        self.call_log = CallLog(self.name)
        self.breakers = {base: Breaker(changed=partial(self.call_log.breaker, base)) for base in self.urls.values()}
        self._lock = threading.Lock()
        self.sweeps = Threads(MAX_SWEEPS, f"sweep-{self.name}")
        self.calls = Threads(CONNECTIONS, f"call-{self.name}")

    def open(self, credential: Credential, deadline: Deadline, mode: Mode = Mode.REUSE) -> Vendor:
        """The vendor for one request; `mode` says how kept replies are used."""
        vendor = self.vendor(credential)
        vendor.client = Client(self, vendor, deadline, mode)
        return vendor

    def home(self, credential: Credential) -> str:
        """The base URL of the region in which this account was found, else of the first."""
        if len(self.urls) == 1:
            return next(iter(self.urls.values()))
        with self._lock:
            found = self._homes.get(credential.fingerprint(self.secret))
        return found or next(iter(self.urls.values()))

    def remember_home(self, credential: Credential, base_url: str) -> None:
        with self._lock:
            self._homes[credential.fingerprint(self.secret)] = base_url


def open_cloud(
    name: str,
    vendor: type[Vendor],
    transport: Transport,
    replies: Replies,
    base_url: str = "",
    rate: Rate | None = None,
    ledger: Ledger | None = None,
    secret: bytes | None = None,
) -> Cloud:
    """The cloud with its public addresses; or all at `base_url`, its further regions below that by their names.

    rate: what may be asked; by default what the vendor publishes, and nothing at an address of one's own.
    ledger, secret: where calls are counted and the key of the groups' names there; both of this process by default.
    """
    urls = dict(vendor.hosts[name])
    if base_url:
        first, *others = urls
        urls = {first: base_url.rstrip("/")} | {region: f"{base_url.rstrip('/')}/{region}" for region in others}
    budget = Budget(name, vendor.limits.parallel, rate or (None if base_url else vendor.limits.rate), ledger)
    return Cloud(name, vendor, urls, transport, replies, budget, secret or secrets.token_bytes(32))
