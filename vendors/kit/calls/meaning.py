"""Step 10 of a call: the meaning of a reply, by the plugin's hooks, else by its HTTP status."""

from collections.abc import Mapping

from vendors.kit.calls.hooks import Hooks
from vendors.kit.errors import (
    BackendError,
    Forbidden,
    NotFound,
    Permanent,
    RateLimited,
    Refused,
    Retired,
    Unauthorized,
    VendorError,
)
from vendors.kit.messages import RawReply, Request
from vendors.kit.reply import Reply

UNAUTHORIZED = 401
BY_STATUS: Mapping[int, type[VendorError]] = {
    UNAUTHORIZED: Unauthorized,
    403: Forbidden,
    404: NotFound,
    410: Retired,
    429: RateLimited,
}

Meaning = VendorError | RawReply | None
"""A failure, a reply to read in place of this one, or None for a successful reply."""


def meaning_of(hooks: Hooks, reply: Reply, raw: RawReply, request: Request) -> Meaning:
    """The meaning of a reply: `failure` first, then `on_unauthorized` for a 401, then the status."""
    meaning = hooks.failure(reply, request)
    if meaning is None and raw.status == UNAUTHORIZED:
        meaning = hooks.on_unauthorized(reply, request)
    return from_status(raw.status, raw.url, raw.retry_after) if meaning is None else meaning


def outage_of(hooks: Hooks, reply: Reply, raw: RawReply, request: Request) -> VendorError | None:
    """The failure of the vendor's cloud that a reply means; None if it concerns only the requested site or device."""
    meaning = hooks.failure(reply, request) or from_status(raw.status, raw.url, raw.retry_after)
    return meaning if isinstance(meaning, VendorError) and is_outage(raw, meaning) else None


def is_outage(raw: RawReply, failure: VendorError) -> bool:
    """Whether the vendor's cloud fails, and not only the requested site or device."""
    return raw.status >= 500 and failure.retriable and not isinstance(failure, Permanent)


def as_logged(failure: VendorError, attempt: int) -> VendorError:
    """The failure for the log: only a second attempt confirms that a failure is permanent."""
    return failure.once() if isinstance(failure, Permanent) and attempt == 1 else failure


def from_status(status: int, url: str, retry_after: float | None) -> VendorError | None:
    """The failure that an HTTP status means, or None for success."""
    if 200 <= status < 300:
        return None
    if kind := BY_STATUS.get(status):
        return kind(url, retry_after=retry_after)
    if status >= 500:
        return BackendError(url, f"the vendor answered {status}", retry_after=retry_after)
    if status < 400:
        return Refused(url, f"the vendor redirects with {status}, and redirects are not followed")
    return Refused(url, f"the vendor answered {status}")
