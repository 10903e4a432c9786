"""Renewal with a refresh token that may be valid once: neither the answer nor the new refresh token must be lost.

The call goes on when its request ends. If it fails without an answer, the vendor may still be at work, so the lease is
left to expire before any process sends the refresh token again. Only a refusal of the vendor ends the grant.
"""

import contextvars
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace
from functools import partial

from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy, Timeout, VendorError
from vendors.kit.tokens.refusals import ConsentLost
from vendors.kit.tokens.renewal import LEASE_SECONDS, Kept, Renewal
from vendors.kit.tokens.store import Token

# Bound on a call, whatever its request's deadline. Shorter than the lease, so that the answer is stored under it.
REFRESH_SECONDS = 8.0
# Pauses before the attempts to store the answer.
STORE_PAUSES = 0.0, 0.1, 0.5


class GrantRenewal(Renewal):
    """A renewal of the access token of a grant."""

    def _under_lease(self, holder: str) -> Kept:
        threads = self.endpoint.threads
        if threads is None:
            raise TypeError("the endpoint of a grant has threads")
        work = partial(contextvars.copy_context().run, super()._under_lease, holder)
        future = threads.submit(work)
        try:
            return future.result(self._patience(self.clock()))
        except NotYet:
            raise Timeout(self.endpoint.url, "the access token is still being renewed") from None
        finally:
            # Its error would refer to this frame: a cycle.
            del future

    def _new_token(self, now: float) -> Token:
        self.has_called = True
        try:
            token = self.endpoint.token(self.credential, Deadline(REFRESH_SECONDS), self.previous)
        except ConsentLost:
            self._note_loss()
            raise
        except VendorError as failure:
            self.keeps_lease = failure.is_uncertain
            raise
        return replace(token, made_with=self.made_with)

    def _note_loss(self) -> None:
        """Marks the grant, unless another process has renewed its token meanwhile. A grant without a readable token is
        left as it is: the vendor has not refused it."""
        used, present = self.previous, self.store.read(self.row)
        if used is None or present is None:
            return
        if present.refresh != used.refresh:
            raise Busy(self.endpoint.url, "another process has renewed the access token", retry_after=LEASE_SECONDS)
        self.store.lost(self.row)

    def _write(self, holder: str, token: Token) -> bool:
        *earlier, last = STORE_PAUSES
        for pause in earlier:
            self.wait(pause)
            try:
                return super()._write(holder, token)
            except VendorError:
                continue
        self.wait(last)
        return super()._write(holder, token)
