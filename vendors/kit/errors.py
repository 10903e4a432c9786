"""The errors of calls to vendor clouds, as a closed list."""

import time
from math import isfinite

# Bound on vendors' hints: some are implausible, and no quota covers more than a day.
LONGEST_WAIT_SECONDS = 86_400.0
# The wait if neither the vendor nor its plugin gives one: most quotas cover minutes.
THROTTLED_SECONDS = 60.0


def bounded(seconds: float | None) -> float | None:
    """A wait of at most LONGEST_WAIT_SECONDS; None for a wait that is not finite or not above 0."""
    if seconds is None or not isfinite(seconds) or seconds <= 0:
        return None
    return min(seconds, LONGEST_WAIT_SECONDS)


class NotOffered(Exception):
    """The vendor has no resource of this kind. This is no failure: lists leave the vendor out."""


class VendorError(Exception):
    """A call to a vendor cloud failed or was refused.

    `reason` is the HTTP reason phrase and `status` the status of a response for a single resource.
    `url` is the called URL without its query; `why` is this server's text, never the vendor's.
    `retry_after` is in seconds. `str()` is the public text, `<reason>: <url, or why if nothing was called>`;
    it holds no credential and no vendor text.
    """

    code = "backend_error"
    status = 502
    reason = "Bad Gateway"
    says = "The vendor's cloud is broken or unreachable."
    advice = "Try again in some minutes."
    stored_advice = ""
    """Advice in place of `advice` if the credential is a stored one; "" where it makes no difference."""
    fault = "vendor"
    """Whose fault it is: "caller", "vendor" or "server"."""
    severity = 5
    """Of several failures in a sweep, the failure with the greatest severity is reported."""
    stops_the_sweep = False
    """Whether the next call would fail as well, so that the sweep ends."""
    retriable = False
    is_uncertain = False
    """Whether the vendor may have acted on a call that must not be made twice, although no answer came."""
    hides_ids = True
    """Whether an id that was not found may exist, since this failure kept a list from being complete."""
    note = ""
    """Text after the URL in the public text, for a kind of error whose reason phrase does not explain it."""
    unreachable = False
    """Whether no connection was made, which no caller's account can cause."""
    cause = ""
    """Class name of the underlying error, for the log."""
    words = ""
    """The vendor's own words on a refused command, for its receipt. Neither the log nor the public text has them."""

    def __init__(self, url: str = "", why: str = "", *, retry_after: float | None = None) -> None:
        self.url, self.why, self.retry_after = url, why, bounded(retry_after)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.reason}: {self.url or self.why}"
        return f"{text} ({self.note})" if self.note else text

    @property
    def detail(self) -> str:
        """One sentence for people, with the cause if it is known."""
        return f"{self.says[:-1]}: {self.why}." if self.why else self.says


class Unauthorized(VendorError):
    """The vendor does not accept the credential, or the credential header is unusable."""

    code, status, reason = "unauthorized", 403, "Unauthorized"
    says = "The vendor does not accept the credential."
    fault = "caller"
    severity = 10
    advice = "Get a new credential from the vendor and send it in this vendor's X-Authorization header."
    stored_advice = "Get a new credential from the vendor and store it with PATCH /vendor-credentials/{id}."
    stops_the_sweep = True


class Forbidden(VendorError):
    """The credential is valid, but does not permit this call."""

    code, status, reason = "forbidden", 403, "Forbidden"
    says = "The vendor does not give this credential access."
    fault = "caller"
    severity = 8
    advice = "Ask the owner or the vendor to give this credential access."


class NotFound(VendorError):
    """The vendor knows no such site or device, or hides it from this credential."""

    code, status, reason = "not_found", 404, "Not Found"
    says = "The vendor has no such thing, or hides it from this credential."
    fault = "caller"
    severity = 1
    advice = "Check the id; the device may have been removed at the vendor."


class RateLimited(VendorError):
    """The vendor's quota for this credential is spent.

    retry_after (seconds) or retry_at (epoch seconds): the wait that the vendor states.
    guess: the wait in seconds that callers see if the vendor states none.
    `hint` is the vendor's wait, for which this server holds further calls; without a hint it holds them for a short
    time (vendors/kit/calls/quota.py).
    """

    code, status, reason = "rate_limited", 429, "Too Many Requests"
    says = "The vendor's quota for this credential is spent."
    fault = "caller"
    severity = 9
    advice = "Wait for the time in retryAfter before asking for this vendor again."
    stops_the_sweep = True

    def __init__(
        self,
        url: str = "",
        why: str = "",
        *,
        retry_after: float | None = None,
        retry_at: float | None = None,
        guess: float = THROTTLED_SECONDS,
    ) -> None:
        if retry_at is not None:
            left = retry_at - time.time()
            retry_after = max(1.0, left) if left > 0 else None
        retry_after = bounded(retry_after)
        self.hint = retry_after
        super().__init__(url, why, retry_after=guess if retry_after is None else retry_after)


class Held(RateLimited):
    """A call that this server did not make because the quota is spent. If the vendor answered 429 in the same sweep,
    that is reported instead."""

    severity = 8


class Busy(VendorError):
    """This server's bound on concurrent requests to this vendor is reached."""

    code, status, reason = "busy", 503, "Service Unavailable"
    says = "This server has too many requests to this vendor under way."
    fault = "server"
    severity = 3
    advice = "This server is waiting for many other answers of this vendor. Try again in a few seconds."


class BackendError(VendorError):
    """The vendor's cloud is broken, unreachable or answers with an unexpected status. The call is retried once."""

    retriable = True


class VendorDown(VendorError):
    """The vendor has failed repeatedly for more than one caller, so for some seconds it is not called."""

    code = "vendor_down"
    says = "The vendor's cloud has failed repeatedly and is not asked for some seconds."
    severity = 5
    advice = "Wait for the time in retryAfter; until then what was kept of this vendor's answers is served."
    stops_the_sweep = True


class Permanent(BackendError):
    """The vendor fails for one site or device, with a text that it always uses for sites and devices no longer shown,
    and sometimes for healthy sites and devices. The call is retried like other failures; the failure does not count as
    an outage of the vendor's cloud."""

    code = "shown_no_longer"
    says = "The vendor shows this site or device no longer."
    note = "the vendor shows this site or device no longer"
    severity = 2
    advice = "If it was taken down, nothing is wrong. If it was not, ask the vendor why it is not shown."

    def once(self) -> BackendError:
        """The failure to report if no second attempt confirms it."""
        return BackendError(self.url, "it fails for this site or device")


class Refused(VendorError):
    """The vendor refuses the form of the call, with a redirect or an unlisted 4xx. A retry would not help."""

    says = "The vendor refuses the call."
    fault = "server"
    severity = 4
    advice = "Report this to the operator of this server: the vendor may have changed its API."


class Retired(VendorError):
    """The vendor has switched this version of its API off (410). A retry would not help."""

    code = "api_retired"
    says = "The vendor has retired this API version."
    fault = "server"
    severity = 7
    advice = "This server has to be updated to the vendor's present API; tell its operator."
    note = "the vendor has retired this API version"


class NotAskedYet(VendorError):
    """A plugin of the stage `declared`: credentials of the vendor can be stored, and no call is made with them."""

    code, status, reason = "not_asked_yet", 501, "Not Implemented"
    hides_ids = False
    says = "The vendor's credentials are stored, and not used."
    fault = "server"
    severity = 3
    advice = (
        "Nothing is wrong with the credentials. Ask the operator for a version of this server that asks this vendor."
    )


class Timeout(VendorError):
    """No complete reply before the deadline of the request."""

    code, status, reason = "timeout", 504, "Gateway Timeout"
    says = "The vendor did not answer completely in time."
    severity = 6
    advice = "The vendor's cloud is slow or hangs. Try again in some minutes."


class BadReply(VendorError):
    """The reply is not as the vendor documents it: not JSON, too large, or without a required member."""

    code = "bad_reply"
    says = "The vendor's answer could not be read."
    severity = 2
    advice = "The vendor's answer could not be read. Report it to the operator of this server if it stays."


class PluginFault(VendorError):
    """A vendor module raised an unexpected exception."""

    code = "plugin_fault"
    says = "The module for this vendor failed."
    fault = "server"
    severity = 2
    advice = "This is a fault of this server. Report it to its operator with the requestId."


def worst(failures: list[VendorError]) -> VendorError:
    """The failure to report for a sweep; of failures with equal severity the first."""
    return max(failures, key=lambda failure: failure.severity)
