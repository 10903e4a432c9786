"""Meaning of SolarEdge's 429."""

from vendors.kit import RateLimited, Reply, VendorError

PER_MINUTE_SECONDS = 60.0
# When the billing month ends is documented nowhere, and refused calls before that may count: none until tomorrow.
NEXT_DAY_SECONDS = 86_400.0


def limited(reply: Reply) -> VendorError | None:
    """A 429 without a hint: the quota of the minute, or that of the month if the minute still has calls left.

    None for any other reply. The minute's wait is a guess. The month's has the weight of a vendor's hint, so that this
    server makes no further call for as long.
    """
    if reply.status != 429 or reply.retry_after is not None:
        return None
    if reply.headers.get("x-ratelimit-remaining-minute", "0") == "0":
        return RateLimited(reply.url, guess=PER_MINUTE_SECONDS)
    return RateLimited(reply.url, "the credits of this month are spent", retry_after=NEXT_DAY_SECONDS)
