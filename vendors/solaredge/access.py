"""Credentials of SolarEdge, and what its 429 means."""

from collections.abc import Mapping

from vendors.kit import RateLimited, Reply, VendorError, bearer

PER_MINUTE_SECONDS = 60.0
# When the billing month ends is told nowhere, and calls before that are refused and may count: none until tomorrow.
NEXT_DAY_SECONDS = 86_400.0


def key_or_bearer(value: str) -> Mapping[str, str]:
    """The bare API key as {"key": ...}, or `Bearer <token>` as {"token": ...}."""
    if value.split(" ")[0].lower() == "bearer":
        return bearer(value)
    if not value or " " in value:
        raise ValueError("must be the API key alone, or: Bearer <token>")
    return {"key": value}


def limited(reply: Reply) -> VendorError | None:
    """A 429 without a hint: the minute, or where calls are left in it the month; None for any other reply.

    The minute's wait is a guess. The month's has the weight of a hint: this server asks no more for as long.
    """
    if reply.status != 429 or reply.retry_after is not None:
        return None
    if reply.headers.get("x-ratelimit-remaining-minute", "0") == "0":
        return RateLimited(reply.url, guess=PER_MINUTE_SECONDS)
    return RateLimited(reply.url, "the credits of this month are spent", retry_after=NEXT_DAY_SECONDS)
