"""Calls that a vendor must not get twice: writes, and the use of a code or refresh token."""

from collections.abc import Iterator
from contextlib import contextmanager

from vendors.kit.errors import BackendError, BadReply, PluginFault, Timeout, VendorError
from vendors.kit.messages import Request

# Such a call is sent only with this time left: without its answer it is unknown whether the vendor has acted on it.
SINGLE_USE_SECONDS = 4.0


@contextmanager
def mark_uncertain(request: Request) -> Iterator[None]:
    """Marks the failure of a call of single use as `is_uncertain` if the vendor may have acted on it."""
    try:
        yield
    except VendorError as failure:
        if request.is_single_use:
            failure.is_uncertain = may_have_arrived(request, failure)
            failure.retriable = failure.retriable and not failure.is_uncertain
        raise


def may_have_arrived(request: Request, failure: VendorError) -> bool:
    """Whether the vendor may have acted on a call that failed: it was sent, and no answer has decided about it."""
    is_open = isinstance(failure, Timeout | BackendError | BadReply | PluginFault)
    return request.is_sent and not failure.unreachable and is_open
