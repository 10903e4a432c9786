"""One attempt of a call: region, breaker, quota, token, sign, send, meaning, hold (steps 4 to 11 of pipeline.py)."""

import time
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.events import OK, CallKind
from vendors.kit.calls.hooks import Hooks
from vendors.kit.calls.meaning import UNAUTHORIZED, Meaning, as_logged, from_status, is_outage, meaning_of, outage_of
from vendors.kit.calls.progress import Progress
from vendors.kit.calls.regions import MISDIRECTED, MOVED, ask_other_regions, is_answer, moved_to
from vendors.kit.calls.signer import Signer
from vendors.kit.calls.single_use import SINGLE_USE_SECONDS
from vendors.kit.calls.upstream import Upstream
from vendors.kit.deadline import Deadline
from vendors.kit.errors import BadReply, RateLimited, Timeout, VendorError, bounded
from vendors.kit.messages import RawReply, Request
from vendors.kit.reply import Reply, WholeReply


class Attempts:
    """Makes the attempts of one request's calls to one vendor; `owner` is the fingerprint of the credential."""

    def __init__(self, upstream: Upstream, hooks: Hooks, deadline: Deadline, progress: Progress, owner: bytes) -> None:
        self._upstream, self._hooks, self._deadline, self._progress = upstream, hooks, deadline, progress
        self._owner = owner
        self._signer = Signer(hooks, upstream.tokens, deadline)
        self.in_flight: list[str] = []
        """URLs of the calls in flight, in the order in which they began."""
        self.last_url = ""
        self.answered = False
        """Whether any attempt has succeeded."""

    @cached_property
    def _group(self) -> str:
        """Name of the limit group; computed only if a call is sent, since most calls are answered from the cache."""
        return self._hooks.credential.group(self._upstream.secret, self._hooks.limits.group).hex()

    def make(self, request: Request) -> tuple[RawReply, Any]:
        """Steps 4 to 11: a successful reply, and its body as JSON if a hook has parsed it."""
        raw, request = self._in_region(request)
        if raw.status == UNAUTHORIZED and self._has_another_token(raw, request):
            self._report_superseded(raw, request)
            raw, request = self._in_region(replace(request, headers={}))
            if raw.status == UNAUTHORIZED:
                self._signer.refused_again(request)
        raw, reply = self._meant(raw, request)
        self._signer.accepted(request)
        self._succeeded(raw, reply)
        return raw, reply.parsed

    def _has_another_token(self, raw: RawReply, request: Request) -> bool:
        """Whether another token has been got in place of the one that the vendor has refused."""
        try:
            return self._signer.renew(request)
        except VendorError:
            self._report_superseded(raw, request)
            raise

    def _in_region(self, request: Request) -> tuple[RawReply, Request]:
        """Step 4, region: the reply, and the request that it answers, which differs if the account or id has moved."""
        raw = self._send(request)
        if raw.status == MOVED:
            target = moved_to(request, raw) if self._hooks.follows_308 else None
            if target is None:
                return raw, request
            self._report_superseded(raw, request)
            return self._send(target), target
        if raw.status != MISDIRECTED:
            return raw, request
        return self._in_other_region(raw, request)

    def _in_other_region(self, refused: RawReply, request: Request) -> tuple[RawReply, Request]:
        """The reply of the region that knows the account, which is then remembered."""
        replies = [(refused, request)]

        def send(moved: Request) -> RawReply:
            raw = self._send(moved)
            replies.append((raw, moved))
            return raw

        raw = None
        try:
            answered, raw = ask_other_regions(self._upstream.urls.values(), request, refused, send)
        finally:
            for reply, moved in replies:
                if reply is not raw:
                    self._report_superseded(reply, moved)
        if answered is not request and is_answer(raw):
            self._upstream.remember_home(self._hooks.credential, answered.base)
        return raw, answered

    def _send(self, request: Request) -> RawReply:
        """Steps 5 to 9: breaker, quota, token, sign, send."""
        url = self.last_url = request.shown_url
        breaker = self._upstream.breakers[request.base]
        self.in_flight.append(url)
        try:
            if self._deadline.left() <= 0:
                raise Timeout(url)
            breaker.refuse(url)
            with self._upstream.quota.spend(self._group, url, self._deadline):
                token = self._signer.token()
                if request.is_single_use and self._deadline.left() < SINGLE_USE_SECONDS:
                    raise Timeout(url, "too little time was left to wait for the answer")
                # Checked again after the waits. While the vendor is down, single calls pass as probes.
                is_probe = breaker.check(url, self._deadline.left())
                # Signed immediately before it is sent, since some signatures contain the time.
                self._signer.sign(request, token)
                return self._exchange(request, breaker, is_probe)
        except VendorError as failure:
            if not request.is_sent:
                self._upstream.report(CallKind.REFUSED, request, code=failure.code)
            if isinstance(failure, Timeout):
                # Set while the URL is still in `in_flight`, so that a concurrent reader of `waits_for` always finds it.
                self.last_url = url
            raise
        finally:
            self.in_flight.remove(url)

    def _exchange(self, request: Request, breaker: Breaker, is_probe: bool) -> RawReply:
        """Step 9, send: one HTTP exchange, whose outcome the breaker learns."""
        self._upstream.report(CallKind.SENDING, request)
        request.is_sent = True
        started = time.perf_counter()
        try:
            raw = self._upstream.transport.fetch(request, self._deadline)
        except VendorError as failure:
            seconds = time.perf_counter() - started
            self._upstream.call_log.failed(request, failure, seconds=seconds)
            self._upstream.report(CallKind.SENT, request, code=failure.code, seconds=seconds)
            if isinstance(failure, BadReply):
                # An unreadable reply is a reply: the cloud is up.
                breaker.succeeded()
            elif failure.unreachable:
                breaker.unreachable(is_probe=is_probe)
            else:
                breaker.failed(self._owner, is_probe=is_probe)
            raise
        raw.seconds = time.perf_counter() - started
        if self._is_outage(raw, request):
            breaker.failed(self._owner, is_probe=is_probe)
        else:
            breaker.succeeded()
        return raw

    def _is_outage(self, raw: RawReply, request: Request) -> bool:
        """Whether a reply means that the vendor's cloud fails, which is then logged."""
        outage = outage_of(self._hooks, self._for_hooks(raw, request), raw, request) if raw.status >= 500 else None
        if outage:
            self._upstream.call_log.failed(request, outage, raw=raw)
        return outage is not None

    def _meant(self, raw: RawReply, request: Request) -> tuple[RawReply, Reply]:
        """Step 10, meaning: the reply to read, which the plugin may have replaced. Raises the failure that it means."""
        reply = self._for_hooks(raw, request)
        try:
            meaning = meaning_of(self._hooks, reply, raw, request)
        except Exception:
            # The call failed that was to find out the meaning, or the plugin.
            self._report_superseded(raw, request)
            raise
        self._report(raw, request, meaning)
        if isinstance(meaning, VendorError):
            self._failed(raw, request, meaning)
            try:
                raise meaning
            finally:
                # The error's traceback refers to this frame: a cycle that would hold the reply.
                del meaning
        return (meaning, self._for_hooks(meaning, request)) if meaning else (raw, reply)

    def _failed(self, raw: RawReply, request: Request, failure: VendorError) -> None:
        """Step 11, hold: after a 429 for the vendor's time. The failure's `retry_after` is at least as long."""
        if not is_outage(raw, failure):  # Step 9 has already logged an outage.
            self._upstream.call_log.failed(request, as_logged(failure, request.attempt), raw=raw)
        if isinstance(failure, RateLimited):
            held_seconds = self._upstream.quota.throttled(self._group, failure.hint)
            failure.retry_after = max(failure.retry_after or 0.0, held_seconds)

    def _succeeded(self, raw: RawReply, reply: Reply) -> None:
        """Step 11, hold: after a success whose headers state that the quota is spent."""
        self._upstream.quota.succeeded(self._group)
        pause_seconds = bounded(self._hooks.spent(reply))
        if pause_seconds is not None:
            self._upstream.quota.hold(self._group, pause_seconds)
        if reported := self._hooks.reported_quota(reply):
            self._upstream.quota.report(self._group, reported, raw.seconds)
        self.answered = True
        self._upstream.retries.earn()
        if self._upstream.call_log.is_behind:
            self._upstream.call_log.catch_up()

    def _report_superseded(self, raw: RawReply, request: Request) -> None:
        """Reports an exchange whose reply led to another exchange, so that no plugin judges it."""
        self._report(raw, request, from_status(raw.status, raw.url, None))

    def _report(self, raw: RawReply, request: Request, meaning: Meaning) -> None:
        code = meaning.code if isinstance(meaning, VendorError) else OK
        self._upstream.report(
            CallKind.SENT, request, code=code, status=raw.status, seconds=raw.seconds, size=len(raw.body)
        )

    def _for_hooks(self, raw: RawReply, request: Request) -> WholeReply:
        report = partial(self._upstream.call_log.failed, request, raw=raw)
        return WholeReply(raw, self._progress, report, request.only)
