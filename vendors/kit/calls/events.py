"""Events of calls: one for each thing that happens to a call, for metrics, traces, accounts and logs.

An observer is called in the thread of the call, with the context of the request that made it. It must be quick. Events
hold names, numbers and addresses without query, never an id, a credential or a vendor's text.
"""

import logging
from collections.abc import Callable
from enum import StrEnum

import msgspec

logger = logging.getLogger(__name__)

OK = "ok"


class CallKind(StrEnum):
    """The part of a call's way that an event reports."""

    SENDING = "sending"
    """An exchange with the vendor begins; it costs quota."""
    SENT = "sent"
    """An exchange has ended, with a reply or without."""
    UNREADABLE = "unreadable"
    """A reply, or a row of it, that was sent with success cannot be read."""
    REFUSED = "refused"
    """No exchange was made: the breaker is open, the quota spent or held, no slot free, or the deadline over."""
    CACHED = "cached"
    """A fresh cached reply was used."""
    STALE = "stale"
    """A cached reply was used in place of a failed call."""
    SHARED = "shared"
    """The call waits for the result of an equal call in flight."""


class CallEvent(msgspec.Struct, frozen=True, gc=False):
    """One event of one call. A Struct is made in a tenth of the time that a frozen dataclass takes."""

    kind: CallKind
    vendor: str
    is_renewal: bool
    """Whether the call is for an access token, and not for data."""
    method: str
    path: str
    """The path below the base URL, with `{}` in place of ids."""
    base: str
    """The base URL."""
    attempt: int
    """1, or 2 for a retry."""
    code: str = OK
    """`ok`, or the code of the failure that the call means."""
    status: int | None = None
    """HTTP status; None without a reply."""
    seconds: float = 0.0
    """Duration of the exchange; for a cached reply, its age."""
    size: int = 0
    """Bytes of the reply's decoded body."""


Observer = Callable[[CallEvent], None]


def notify(observers: tuple[Observer, ...], event: CallEvent) -> None:
    """Calls the observers. An observer's fault is logged, and costs no call."""
    for observe in observers:
        try:
            observe(event)
        except Exception:
            logger.exception("an observer of vendor calls failed")
