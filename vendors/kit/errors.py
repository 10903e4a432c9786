"""Everything that can go wrong at a vendor cloud, as a closed list, and the one table from HTTP to it."""

import time
from collections.abc import Mapping
from math import isfinite

# A bound for vendors' hints: some are nonsense, and no quota is longer than a day's.
LONGEST_WAIT_SECONDS = 86_400.0
# The hint when neither the vendor nor its plugin has one: most quotas are of minutes.
THROTTLED_SECONDS = 60.0


def bounded(seconds: float | None) -> float | None:
    """A plausible wait; None for one that is no finite number or is over."""
    if seconds is None or not isfinite(seconds) or seconds <= 0:
        return None
    return min(seconds, LONGEST_WAIT_SECONDS)


class NotOffered(Exception):
    """The vendor does not have such a resource. Not a failure: left out of lists."""


class VendorError(Exception):
    """A call to a vendor cloud failed or was refused.

    `reason` is the HTTP reason phrase and `status` the status that the kind has on a single resource.
    `url` is the called URL without its query; `why` is in our own words, never the vendor's.
    `retry_after` is in seconds. `str()` is the public text, `<reason>: <url, or why if nothing was called>`;
    it holds no credential and no vendor text.
    """

    code = "backend_error"
    status = 502
    reason = "Bad Gateway"
    says = "The vendor's cloud is broken or unreachable."
    advice = "Try again in some minutes."
    fault = "vendor"
    """Whose fault it is: "caller", "vendor" or "server"."""
    severity = 5
    """Of several failures in one sweep the one with the greatest number is reported."""
    stops_the_sweep = False
    """True: the next call would fail as well, so the rest of the sweep is not tried."""
    retriable = False
    note = ""
    """Words behind the URL in the public text, for a kind that its reason phrase does not tell."""
    unreachable = False
    """True: there was no connection at all, so it is nothing that this caller's account could cause."""
    cause = ""
    """The name of the error below it, for the log."""

    def __init__(self, url: str = "", why: str = "", *, retry_after: float | None = None) -> None:
        self.url, self.why, self.retry_after = url, why, bounded(retry_after)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.reason}: {self.url or self.why}"
        return f"{text} ({self.note})" if self.note else text

    @property
    def detail(self) -> str:
        """One sentence for people, and what is known of this case."""
        return f"{self.says[:-1]}: {self.why}." if self.why else self.says


class Unauthorized(VendorError):
    """The vendor does not accept the credential, or the credential header is unusable."""

    code, status, reason = "unauthorized", 403, "Unauthorized"
    says = "The vendor does not accept the credential."
    fault = "caller"
    severity = 10
    advice = "Get a new credential from the vendor and send it in this vendor's X-Authorization header."
    stops_the_sweep = True


class Forbidden(VendorError):
    """The credential is good, but not for this."""

    code, status, reason = "forbidden", 403, "Forbidden"
    says = "The vendor does not give this credential access."
    fault = "caller"
    severity = 8
    advice = "Ask the owner or the vendor to give this credential access."


class NotFound(VendorError):
    """The vendor knows no such thing, or hides it from this credential."""

    code, status, reason = "not_found", 404, "Not Found"
    says = "The vendor has no such thing, or hides it from this credential."
    fault = "caller"
    severity = 1
    advice = "Check the id; the device may have been removed at the vendor."


class RateLimited(VendorError):
    """The vendor's quota for this credential is spent.

    retry_after (seconds) or retry_at (epoch seconds): what the vendor says. guess: seconds of our own, for when it
    says nothing, of which callers learn. `hint`: the vendor's own wait, by which this server holds further calls;
    without it they are held for a short time (vendors/kit/calls/quota.py).
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
    """A call that this server did not make, since the quota is spent; the vendor's own 429 of the same sweep counts."""

    severity = 8


class Busy(VendorError):
    """Our own bound on requests to this vendor is full."""

    code, status, reason = "busy", 503, "Service Unavailable"
    says = "This server has too many requests to this vendor under way."
    fault = "server"
    severity = 3
    advice = "This server is waiting for many other answers of this vendor. Try again in a few seconds."


class BackendError(VendorError):
    """The vendor's cloud is broken, unreachable or answers what it should not. Worth one more try."""

    retriable = True


class VendorDown(VendorError):
    """The vendor has failed many times just now, for more than one caller; it is not asked for some seconds."""

    code = "vendor_down"
    says = "The vendor's cloud has failed repeatedly and is not asked for some seconds."
    severity = 5
    advice = "Wait for the time in retryAfter; until then what was kept of this vendor's answers is served."
    stops_the_sweep = True


class Permanent(BackendError):
    """The vendor fails for one site or device, in words that it uses for good of what it shows no longer, and now and
    then of what is well. Tried again like other failures; of the vendor's cloud it says nothing."""

    code = "shown_no_longer"
    says = "The vendor shows this site or device no longer."
    note = "the vendor shows this site or device no longer"
    severity = 2
    advice = "If it was taken down, nothing is wrong. If it was not, ask the vendor why it is not shown."

    def once(self) -> BackendError:
        """The failure to report if no second try confirms it."""
        return BackendError(self.url, "it fails for this site or device")


class Refused(VendorError):
    """The vendor refuses the way we ask: a redirect, a 4xx of its own kind. No use in asking again."""

    says = "The vendor refuses the call."
    fault = "server"
    severity = 4
    advice = "Report this to the operator of this server: the vendor may have changed its API."


class Retired(VendorError):
    """The vendor has switched this version of its API off (410). No use in asking again, so it says so."""

    code = "api_retired"
    says = "The vendor has retired this API version."
    fault = "server"
    severity = 7
    advice = "This server has to be updated to the vendor's present API; tell its operator."
    note = "the vendor has retired this API version"


class Timeout(VendorError):
    """No complete answer before the deadline of the request."""

    code, status, reason = "timeout", 504, "Gateway Timeout"
    says = "The vendor did not answer completely in time."
    severity = 6
    advice = "The vendor's cloud is slow or hangs. Try again in some minutes."


class BadReply(VendorError):
    """The answer is not what the vendor documents: not JSON, too large, a required field missing."""

    code = "bad_reply"
    says = "The vendor's answer could not be read."
    severity = 2
    advice = "The vendor's answer could not be read. Report it to the operator of this server if it stays."


class PluginFault(VendorError):
    """A vendor module failed in a way that it should not."""

    code = "plugin_fault"
    says = "The module for this vendor failed."
    fault = "server"
    severity = 2
    advice = "This is a fault of this server. Report it to its operator with the requestId."


BY_STATUS: Mapping[int, tuple[type[VendorError], str]] = {
    401: (Unauthorized, ""),
    403: (Forbidden, ""),
    404: (NotFound, ""),
    410: (Retired, ""),
    429: (RateLimited, ""),
}


def worst(failures: list[VendorError]) -> VendorError:
    """The failure to report for a sweep; of equal kinds the first that happened."""
    return max(failures, key=lambda failure: failure.severity)


def from_status(status: int, url: str, retry_after: float | None) -> VendorError | None:
    """The failure that an HTTP status means, or None for success."""
    if 200 <= status < 300:
        return None
    if status in BY_STATUS:
        kind, why = BY_STATUS[status]
        return kind(url, why, retry_after=retry_after)
    if status >= 500:
        return BackendError(url, f"the vendor answered {status}", retry_after=retry_after)
    if status < 400:
        return Refused(url, f"the vendor redirects with {status}, and redirects are not followed")
    return Refused(url, f"the vendor answered {status}")
