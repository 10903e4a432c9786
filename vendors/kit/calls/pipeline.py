"""The eleven steps of a call, in order. Steps 1 to 3 are methods of `Calls`, 4 to 11 those of `Attempts` (attempts.py).

 1. cache          a fresh cached reply ends the call
 2. single flight  a call equal to one in flight waits for its result
 3. retry          a read that failed is made once more, within the vendor's retry budget
 4. region         a reply that sends the call to another region or path is followed
 5. breaker        refuses the call while the vendor is down
 6. quota          refuses the call while its limit group is held or over its rate, and waits for a slot
 7. token          gets the access token of a stored credential; if the vendor refuses it, once more with another
 8. sign           the plugin adds what authenticates
 9. send           one HTTP exchange, whose outcome the breaker learns
10. meaning        the plugin, else the status, decides whether the reply is a failure
11. hold           the limit group's next calls wait if the vendor asks for it

While the vendor is down or its quota is spent, a stale cached reply replaces the call, if there is one. A read that is
UNCACHED begins with step 3 and takes no stale reply; a write begins with step 4.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar
from weakref import proxy

from vendors.kit.calls.attempts import Attempts
from vendors.kit.calls.events import CallKind
from vendors.kit.calls.hooks import Hooks
from vendors.kit.calls.progress import Progress
from vendors.kit.calls.reply_cache import CachedReply, FetchResult, Freshness, Mode, ReplyRef
from vendors.kit.calls.upstream import Upstream
from vendors.kit.deadline import Deadline
from vendors.kit.errors import BackendError, BadReply, Permanent, RateLimited, Timeout, VendorDown, VendorError
from vendors.kit.messages import RawReply, Request
from vendors.kit.reply import Reply

P = ParamSpec("P")
T = TypeVar("T")

# A retry makes sense only if the vendor has a fair chance to answer it.
RETRY_NEEDS_SECONDS = 1.0
RETRY_PAUSE_SECONDS = (0.05, 0.25)
# While a vendor is down or its quota is spent, stale replies are served up to this age.
MAX_AGE_SECONDS = 24 * 3600.0


class NotCached(VendorError):
    """In the mode CACHED_ONLY: no reply to this call is cached."""

    severity = 0


@dataclass(slots=True)
class Call:
    """A plugin's call in progress. `build` makes its request; a retry needs a new request."""

    build: Callable[[], Request]
    request: Request
    key: bytes
    fresh_seconds: float


class Calls:
    """The calls of one request to one vendor with one credential. The plugin is alive while they are made, since only
    its clients make them."""

    def __init__(self, upstream: Upstream, hooks: Hooks, deadline: Deadline, mode: Mode) -> None:
        # A weak reference: the plugin refers to its calls, and a cycle would keep both until a garbage collection.
        hooks = proxy(hooks)
        self.upstream, self._hooks, self.deadline = upstream, hooks, deadline
        self._mode = mode
        self.progress = Progress()
        self._owner = hooks.credential.fingerprint(upstream.secret)
        self._attempts = Attempts(upstream, hooks, deadline, self.progress, self._owner)

    @property
    def answered(self) -> bool:
        """Whether the vendor has answered a call of this request with success, cached replies not counted."""
        return self._attempts.answered

    @property
    def waits_for(self) -> str:
        """URL of the call that has been in flight for longest, else of the last call; "" before the first call."""
        return next(iter(self._attempts.in_flight), self._attempts.last_url)

    @property
    def makes_none(self) -> bool:
        """Whether only cached replies are used, so that no call takes time."""
        return self._mode is Mode.CACHED_ONLY

    def only_cached(self) -> None:
        """From now on makes no call, and answers from the cache alone."""
        self._mode = Mode.CACHED_ONLY

    def make(self, build: Callable[[], Request], freshness: Freshness) -> Reply:
        """The reply to a call, cached or new."""
        call = self._call(build, freshness)
        if freshness is not Freshness.UNCACHED:
            return self._from_cache(call) or self._from_vendor(call)
        if self.makes_none:
            raise NotCached(call.request.shown_url)
        return self._uncached(call.request, *self._with_retry(call))

    def write(self, request: Request) -> Reply:
        """The reply to a call that changes something at the vendor: steps 4 to 11, made once."""
        if self.makes_none:
            raise NotCached(request.shown_url)
        return self._uncached(request, *self._attempts.make(request))

    def last_in(self, part: Callable[P, T], instead: T) -> Callable[P, T]:
        """A part of a sweep which no further call depends on. A dry run goes on with `instead` where it lacks the
        part's reply."""
        return part

    def _call(self, build: Callable[[], Request], freshness: Freshness) -> Call:
        request = build()
        key = self.upstream.reply_cache.key(self.upstream.name, self._owner, request)
        return Call(build, request, key, self._hooks.fresh_seconds[freshness])

    def _from_cache(self, call: Call) -> Reply | None:
        """Step 1, cache: a fresh reply, or a reply of any age in the mode CACHED_ONLY, which makes no call."""
        if self._mode is Mode.REFRESH:
            return None
        max_age = MAX_AGE_SECONDS if self.makes_none else call.fresh_seconds
        cached = self.upstream.reply_cache.get(call.key, max_age)
        if cached:
            return self._reused(call, cached, CallKind.CACHED)
        if self.makes_none:
            raise NotCached(call.request.shown_url)
        return None

    def _from_vendor(self, call: Call) -> Reply:
        """Step 2, single flight: the result of this call or of an equal call in flight; if it failed, a stale reply."""
        joined = partial(self.upstream.report, CallKind.SHARED, call.request)
        try:
            result = self.upstream.flights.share(call.key, partial(self._fetch, call), self.deadline, joined)
        except TimeoutError:
            raise Timeout(call.request.shown_url) from None
        except (RateLimited, BackendError, VendorDown, Timeout) as failure:
            stale = self._stale(call, failure)
            if stale is None:
                raise
            return stale
        return self._new(call, result)

    def _fetch(self, call: Call) -> FetchResult:
        # An equal call may have landed since step 1.
        cached = None if self._mode is Mode.REFRESH else self.upstream.reply_cache.get(call.key, call.fresh_seconds)
        if cached:
            self.upstream.report(CallKind.CACHED, call.request, seconds=self.upstream.reply_cache.age(cached))
            return FetchResult(cached, cached)
        raw, parsed = self._with_retry(call)
        return FetchResult(*self.upstream.reply_cache.put(call.key, raw), parsed, call.request.only)

    def _with_retry(self, call: Call) -> tuple[RawReply, Any]:
        """Step 3, retry: up to two attempts. Only the second confirms that a failure is permanent."""
        try:
            return self._attempts.make(call.request)
        except VendorError as error:
            has_time = error.retriable and self.deadline.left() >= RETRY_NEEDS_SECONDS
            if not (has_time and self.upstream.retries.take()):
                if isinstance(error, Permanent):
                    raise error.once() from None
                raise
            may_be_permanent = isinstance(error, Permanent)
            # The traceback's frames refer to the error: a cycle that would hold the reply.
            error.__traceback__ = None
        request = call.build()
        request.attempt = call.request.attempt + 1
        pause_seconds = random.uniform(*RETRY_PAUSE_SECONDS)  # noqa: S311 - spreads the retries, guards no secret
        time.sleep(pause_seconds * self.upstream.pause)
        try:
            return self._attempts.make(request)
        except Permanent as error:
            if may_be_permanent:
                raise
            raise error.once() from None

    def _new(self, call: Call, result: FetchResult) -> Reply:
        """The reply of this call or of an equal call. If it turns out to be unreadable, it leaves the cache."""
        cached = result.cached
        self.progress.reply_refs.append(ReplyRef(call.key, cached.serial, call.fresh_seconds))
        # An equal call may have read other members.
        parsed = result.parsed if result.only is call.request.only else None

        def spoiled(failure: BadReply, rows: int | None) -> None:
            if rows is None:
                self.upstream.reply_cache.take_back(call.key, cached, result.previous)
            self._unreadable(call.request, cached.reply, failure, rows)

        return Reply(cached.reply, self.progress, spoiled, call.request.only, parsed)

    def _uncached(self, request: Request, raw: RawReply, parsed: Any) -> Reply:
        """A reply that is used for this call alone."""
        return Reply(raw, self.progress, partial(self._unreadable, request, raw), request.only, parsed)

    def _unreadable(self, request: Request, raw: RawReply, failure: BadReply, rows: int | None) -> None:
        self.upstream.call_log.failed(request, failure, rows, raw=raw)
        self.upstream.report(CallKind.UNREADABLE, request, code=failure.code)

    def _stale(self, call: Call, failure: VendorError) -> Reply | None:
        """A cached reply of any age in place of the failure, which is reported; None if no reply is cached."""
        cached = None if self._mode is Mode.REFRESH else self.upstream.reply_cache.get(call.key, MAX_AGE_SECONDS)
        if cached is None:
            return None
        self.progress.add(failure)
        self.progress.is_stale = True
        if failure.stops_the_sweep:
            self.only_cached()
        return self._reused(call, cached, CallKind.STALE)

    def _reused(self, call: Call, cached: CachedReply, kind: CallKind) -> Reply:
        age = self.upstream.reply_cache.age(cached)
        self.upstream.report(kind, call.request, seconds=age)
        self.progress.age = max(self.progress.age, age)
        self.progress.is_stale |= age > call.fresh_seconds
        self.progress.reply_refs.append(ReplyRef(call.key, cached.serial, call.fresh_seconds))
        return Reply(cached.reply, self.progress, ignore, call.request.only)


def ignore(failure: BadReply, rows: int | None) -> None:
    """For an unreadable cached reply: the call that fetched it has reported it."""
