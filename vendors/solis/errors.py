"""Meanings of Solis' codes and statuses."""

from vendors.kit import (
    BackendError,
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    Reply,
    Request,
    Unauthorized,
    VendorError,
)
from vendors.kit.parsing.reading import text

# The vendor sends no hint with a 429; its limit is 2 calls a second per interface.
THROTTLED_SECONDS = 5.0
# When the daily quota is reset is not documented: call again after an hour.
DAILY_QUOTA_SECONDS = 3600.0
DAILY_QUOTA_WORDS = "too many request"

CODES: dict[str, type[VendorError]] = {
    "R0000": Forbidden,
    "Z0001": Unauthorized,
    "I0012": Unauthorized,
    "B0011": Unauthorized,
    "B0001": Forbidden,
    "B0049": NotFound,
    "I0000": Refused,
    "I0003": Refused,
}
# "Data exception": a wrong or foreign id where the request has an id, else a fault of the platform.
DATA_EXCEPTION = "1"
ID_MEMBERS = (b'"id":', b'"stationId":')


def failure_of(reply: Reply, request: Request) -> VendorError | None:
    """The failure that a reply is; None where its status tells it. Most errors come with status 200 and a code."""
    url = reply.url
    if reply.status == 403:
        return Unauthorized(url)
    if reply.status == 408:
        return Refused(url, "the clock of this server is more than 15 minutes off")
    if reply.status == 429:
        return RateLimited(url, retry_after=reply.retry_after, guess=THROTTLED_SECONDS)
    if reply.status != 200:
        return None
    code, message = reply.record(lambda raw: (text(raw, "code"), str(raw.get("msg"))))
    if code == "0":
        return None
    if code == "R0000" and DAILY_QUOTA_WORDS in message.lower():
        return RateLimited(url, "the daily quota is spent", retry_after=DAILY_QUOTA_SECONDS)
    if code == DATA_EXCEPTION and any(member in (request.body or b"") for member in ID_MEMBERS):
        return NotFound(url)
    return CODES.get(code, BackendError)(url, f"code {code}" if code.isalnum() and len(code) < 9 else "")
