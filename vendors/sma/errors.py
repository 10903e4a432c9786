"""Meaning of SMA's refusals where HTTP does not tell it."""

from vendors.kit import RateLimited, Reply, VendorError

# In which SMA refills its token bucket; its 429 may come without a hint.
REFILL_SECONDS = 300.0


def failure_of(reply: Reply) -> VendorError | None:
    """The failure that a reply is; None where its status tells it."""
    if reply.status == 429 and reply.retry_after is None:
        return RateLimited(reply.url, guess=REFILL_SECONDS)
    return None
