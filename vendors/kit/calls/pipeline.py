"""One call of a plugin: reuse of replies, single flight, breaker, retry, and the meaning of what came back."""

import logging
import random
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.regions import ask_other_regions, is_answer, moved_to
from vendors.kit.calls.reply_cache import CachedReply, FetchResult, Freshness, Mode, ReplyRef
from vendors.kit.deadline import Deadline
from vendors.kit.errors import (
    BackendError,
    BadReply,
    Permanent,
    RateLimited,
    Timeout,
    VendorDown,
    VendorError,
    bounded,
    from_status,
)
from vendors.kit.messages import RawReply, Request
from vendors.kit.parsing.projection import Shape
from vendors.kit.reply import Progress, Reply

if TYPE_CHECKING:
    from vendors.kit.calls.cloud import Cloud
    from vendors.kit.vendor import Vendor

log = logging.getLogger(__name__)

# A retry makes sense only if the vendor has a fair chance to answer it.
RETRY_NEEDS_SECONDS = 1.0
RETRY_PAUSE_SECONDS = (0.05, 0.25)
# While a vendor is down or its quota is spent, its last good replies are served up to this age.
MAX_AGE_SECONDS = 24 * 3600.0


class NotKept(VendorError):
    """In the mode KEPT_ONLY: no reply to this call was kept."""

    severity = 0


def _was_kept(failure: BadReply, rows: int | None) -> None:
    """For what turns out to be unreadable of a kept reply: its call was another's, and is over."""


class Calls:
    """The calls of one request to one vendor with one credential."""

    def __init__(self, cloud: "Cloud", vendor: "Vendor", deadline: Deadline, mode: Mode, progress: Progress) -> None:
        self._cloud, self._vendor, self._deadline = cloud, vendor, deadline
        self._mode = mode
        self._progress = progress
        self._witness = vendor.credential.fingerprint(cloud.secret)
        self._group = vendor.credential.fingerprint(cloud.secret, vendor.limits.group).hex()
        self._called = ""
        self._under_way: list[str] = []
        self.answered = False

    @property
    def waits_for(self) -> str:
        """URL of the call that has been under way for longest, else of the last one; "" before the first."""
        return next(iter(self._under_way), self._called)

    def make(self, make: Callable[[], Request], freshness: Freshness) -> Reply:
        """The reply, kept or new. `make` makes the request anew for a second try."""
        request, store = make(), self._cloud.replies
        key = store.key(self._cloud.name, self._witness, request)
        fresh = self._vendor.fresh_seconds[freshness]
        if self._mode is not Mode.REFRESH:
            kept = store.get(key, MAX_AGE_SECONDS if self._mode is Mode.KEPT_ONLY else fresh)
            if kept:
                return self._from_memory(key, kept, fresh, request.only)
            if self._mode is Mode.KEPT_ONLY:
                raise NotKept(request.shown_url)

        def fetch() -> FetchResult:
            # An equal call may have landed since the look into the store.
            kept = None if self._mode is Mode.REFRESH else store.get(key, fresh)
            if kept:
                return FetchResult(kept, kept)
            raw, parsed = self._fetch_with_retry(request, make)
            return FetchResult(*store.put(key, raw), parsed, request.only)

        try:
            landed = self._cloud.flights.share(key, fetch, self._deadline)
        except TimeoutError:
            raise Timeout(request.shown_url) from None
        except (RateLimited, BackendError, VendorDown, Timeout) as failure:
            old = None if self._mode is Mode.REFRESH else store.get(key, MAX_AGE_SECONDS)
            if old is None:
                raise
            self._progress.add(failure)
            self._progress.is_stale = True
            if failure.stops_the_sweep:
                self.only_kept()
            return self._from_memory(key, old, fresh, request.only)
        kept, previous = landed.kept, landed.previous
        self._progress.sources.append(ReplyRef(key, kept.serial, fresh))
        # An equal call of another may have read other parts.
        parsed = landed.parsed if landed.only is request.only else None

        def spoiled(failure: BadReply, rows: int | None) -> None:
            if rows is None:
                store.take_back(key, kept, previous)
            self._log(request, failure, rows, raw=kept.reply)

        return Reply(kept.reply, self._progress, spoiled, request.only, parsed)

    @property
    def makes_none(self) -> bool:
        """Whether what was kept is all there is, so that nothing takes time."""
        return self._mode is Mode.KEPT_ONLY

    def only_kept(self) -> None:
        """From now on no call is made: what was kept of earlier answers is all there is."""
        self._mode = Mode.KEPT_ONLY

    def _from_memory(self, key: bytes, kept: CachedReply, fresh: float, only: Shape | None) -> Reply:
        age = self._cloud.replies.age(kept)
        self._progress.age = max(self._progress.age, age)
        self._progress.is_stale |= age > fresh
        self._progress.sources.append(ReplyRef(key, kept.serial, fresh))
        return Reply(kept.reply, self._progress, _was_kept, only)

    def _fetch_with_retry(self, request: Request, make: Callable[[], Request]) -> tuple[RawReply, Any]:
        """The reply, and its body as JSON if that was looked at."""
        try:
            return self._fetch(request)
        except VendorError as error:
            may = error.retriable and self._deadline.left() >= RETRY_NEEDS_SECONDS
            if not (may and self._cloud.retries.take()):
                if isinstance(error, Permanent):
                    raise error.once() from None
                raise
            may_be_permanent = isinstance(error, Permanent)
            # It and what it passed through would hold each other.
            error.__traceback__ = None
        again = make()
        again.attempt = request.attempt + 1
        pause = random.uniform(*RETRY_PAUSE_SECONDS)  # noqa: S311 - spreads the retries, guards no secret
        time.sleep(pause * self._cloud.pause)
        try:
            return self._fetch(again)
        except Permanent as error:
            if may_be_permanent:
                raise
            raise error.once() from None

    def _fetch(self, request: Request) -> tuple[RawReply, Any]:
        raw, request = self._answer(request)
        reply = Reply(raw, self._progress, partial(self._log, request, raw=raw), request.only)
        meant = self._vendor.failure(reply, request)
        if meant is None:
            meant = from_status(raw.status, raw.url, raw.retry_after)
        if isinstance(meant, VendorError):
            if not is_outage(raw, meant):  # An outage has its line already.
                self._log(request, as_seen(meant, request.attempt), raw=raw)
            if isinstance(meant, RateLimited):
                held_seconds = self._cloud.budget.throttled(self._group, meant.hint)
                # A caller that obeys must not meet the hold.
                meant.retry_after = max(meant.retry_after or 0.0, held_seconds)
            try:
                raise meant
            finally:
                # An error and the frame that it left hold each other, and the reply.
                del meant
        if meant:
            raw, reply = meant, Reply(meant, self._progress, partial(self._log, request, raw=meant), request.only)
        self._cloud.budget.succeeded(self._group)
        pause = bounded(self._vendor.spent(reply))
        if pause is not None:
            self._cloud.budget.hold(self._group, pause)
        self.answered = True
        self._cloud.retries.earn()
        if self._cloud.call_log.is_behind:
            self._cloud.call_log.catch_up()
        return raw, reply.parsed

    def _answer(self, request: Request) -> tuple[RawReply, Request]:
        """What came, and of which request: where an id or an account has moved, it is another than the first."""
        raw = self._send(request)
        if raw.status == 308:
            target = moved_to(request, raw) if self._vendor.follows_308 else None
            return (self._send(target), target) if target else (raw, request)
        if raw.status != 421:
            return raw, request
        found, raw = ask_other_regions(self._cloud.urls.values(), request, raw, self._send)
        if found is not request and is_answer(raw):
            self._cloud.remember_home(self._vendor.credential, found.base)
        return raw, found

    def _send(self, request: Request) -> RawReply:
        self._called = request.shown_url
        if self._deadline.left() <= 0:
            raise Timeout(request.shown_url)
        breaker = self._cloud.breakers[request.base]
        self._under_way.append(request.shown_url)
        try:
            breaker.refuse(request.shown_url)
            with self._cloud.budget.spend(self._group, request.shown_url, self._deadline):
                is_probe = breaker.check(request.shown_url, self._deadline.left())
                # Signed last: some signatures hold the time.
                self._vendor.sign(request)
                return self._exchange(request, breaker, is_probe)
        except Timeout:
            # Before it is no longer under way: it may be asked for at this moment, when the deadline has come.
            self._called = request.shown_url
            raise
        finally:
            self._under_way.remove(request.shown_url)

    def _exchange(self, request: Request, breaker: Breaker, is_probe: bool) -> RawReply:
        """One call, of whose end the breaker learns."""
        started = time.perf_counter()
        try:
            raw = self._cloud.transport.fetch(request, self._deadline)
        except VendorError as failure:
            self._cloud.call_log.failed(request, failure, seconds=time.perf_counter() - started)
            if isinstance(failure, BadReply):
                # It has answered, whatever it is.
                breaker.succeeded()
            elif failure.unreachable:
                breaker.unreachable(is_probe=is_probe)
            else:
                breaker.failed(self._witness, is_probe=is_probe)
            raise
        raw.seconds = time.perf_counter() - started
        if log.isEnabledFor(logging.DEBUG):
            took_ms = raw.seconds * 1000
            log.debug("%s %s answered %d in %.0f ms", request.method, request.shown_url, raw.status, took_ms)
        outage = self._outage(raw, request) if raw.status >= 500 else None
        if outage:
            self._log(request, outage, raw=raw)
            breaker.failed(self._witness, is_probe=is_probe)
        else:
            breaker.succeeded()
        return raw

    def _outage(self, raw: RawReply, request: Request) -> VendorError | None:
        """The failure of the cloud that a 5xx stands for; None if it is about the thing that was asked for."""
        meant = self._vendor.failure(Reply(raw, self._progress, partial(self._log, request, raw=raw)), request)
        if meant is None:
            meant = from_status(raw.status, raw.url, raw.retry_after)
        return meant if isinstance(meant, VendorError) and is_outage(raw, meant) else None

    def _log(self, request: Request, failure: VendorError, rows: int | None = None, *, raw: RawReply) -> None:
        self._cloud.call_log.failed(request, failure, status=raw.status, seconds=raw.seconds, rows=rows)


def is_outage(raw: RawReply, meant: VendorError) -> bool:
    """Whether a failure says something about the vendor's cloud, and not about the thing that was asked for."""
    return raw.status >= 500 and meant.retriable and not isinstance(meant, Permanent)


def as_seen(meant: VendorError, attempt: int) -> VendorError:
    """A failure as the log has it: what may be permanent is only known to be so after a second try."""
    return meant.once() if isinstance(meant, Permanent) and attempt == 1 else meant
