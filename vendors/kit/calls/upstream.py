"""The part of a vendor cloud that all requests of this process share."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cachetools import LRUCache

from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.call_log import CallLog
from vendors.kit.calls.events import CallEvent, CallKind, Observer, notify
from vendors.kit.calls.quota import Quota
from vendors.kit.calls.reply_cache import FetchResult, ReplyCache
from vendors.kit.calls.retry_budget import RetryBudget
from vendors.kit.calls.signer import AccessTokens
from vendors.kit.calls.single_flight import SingleFlight
from vendors.kit.calls.thread_pool import ThreadPool
from vendors.kit.credentials import Credential
from vendors.kit.http.connection_pool import CONNECTIONS
from vendors.kit.http.transport import Transport
from vendors.kit.messages import Request

# Credentials whose region is remembered, for vendors with several.
MAX_HOMES = 10_000


@dataclass
class Upstream:
    """A vendor's addresses, connections, cached replies, limits and health. Threads start on first use, after
    gunicorn's fork."""

    name: str
    urls: Mapping[str, str]
    transport: Transport
    reply_cache: ReplyCache
    quota: Quota
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """Key of the fingerprints that stand for credentials in tables. Processes that share a ledger share it."""
    pause: float = 1.0
    """Factor on the pause before a retry; tests set 0."""
    tokens: AccessTokens | None = None
    """None if no form of stored credentials needs an access token."""
    observers: tuple[Observer, ...] = ()
    """Called with each event of each call."""
    is_for_tokens: bool = False
    """Whether its calls are for access tokens, and not for data."""

    def __post_init__(self) -> None:
        self._homes: LRUCache[bytes, str] = LRUCache(MAX_HOMES)
        self._lock = threading.Lock()
        self.flights: SingleFlight[FetchResult] = SingleFlight()
        self.retries = RetryBudget()
        self.call_log = CallLog(self.name)
        self.breakers = {base: Breaker(changed=partial(self.call_log.breaker, base)) for base in self.urls.values()}
        self.call_threads = ThreadPool(CONNECTIONS, f"call-{self.name}")

    def home(self, credential: Credential) -> str:
        """Base URL of the region that knows this account, as a call has found or the credential names it; else of the
        first region."""
        if len(self.urls) == 1:
            return next(iter(self.urls.values()))
        with self._lock:
            base_url = self._homes.get(credential.fingerprint(self.secret))
        return base_url or self.urls.get(credential.region or "") or next(iter(self.urls.values()))

    def report(self, kind: CallKind, request: Request, **members: Any) -> None:
        """Hands an event of a call to the observers; `members` are those of CallEvent."""
        if not self.observers:
            return
        path = request.template or request.path
        event = CallEvent(
            kind, self.name, self.is_for_tokens, request.method, path, request.base, request.attempt, **members
        )
        notify(self.observers, event)

    def remember_home(self, credential: Credential, base_url: str) -> None:
        with self._lock:
            self._homes[credential.fingerprint(self.secret)] = base_url
