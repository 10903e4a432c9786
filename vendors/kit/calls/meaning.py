"""Step 9 of a call: the meaning of a reply, which the plugin's hooks know better than its status."""

from vendors.kit.calls.hooks import Hooks
from vendors.kit.errors import Permanent, VendorError, from_status
from vendors.kit.messages import RawReply, Request
from vendors.kit.reply import Reply

UNAUTHORIZED = 401

Meaning = VendorError | RawReply | None
"""A failure, another reply to read in place of this one, or that the reply is good."""


def meaning_of(hooks: Hooks, reply: Reply, raw: RawReply, request: Request) -> Meaning:
    """The meaning of a reply: `failure` first, then `on_unauthorized` for a 401, then the status."""
    meaning = hooks.failure(reply, request)
    if meaning is None and raw.status == UNAUTHORIZED:
        meaning = hooks.on_unauthorized(reply, request)
    return from_status(raw.status, raw.url, raw.retry_after) if meaning is None else meaning


def outage_of(hooks: Hooks, reply: Reply, raw: RawReply, request: Request) -> VendorError | None:
    """The failure of the vendor's cloud that a reply means; None for one about the requested site or device."""
    meaning = hooks.failure(reply, request) or from_status(raw.status, raw.url, raw.retry_after)
    return meaning if isinstance(meaning, VendorError) and is_outage(raw, meaning) else None


def is_outage(raw: RawReply, failure: VendorError) -> bool:
    """Whether a failure is one of the vendor's cloud, and not of the requested site or device."""
    return raw.status >= 500 and failure.retriable and not isinstance(failure, Permanent)


def as_logged(failure: VendorError, attempt: int) -> VendorError:
    """The failure for the log: a first attempt that looks permanent is not confirmed yet."""
    return failure.once() if isinstance(failure, Permanent) and attempt == 1 else failure
