"""Meaning of Enphase's refusals where HTTP does not say so, in both APIs.

A refused plan looks like a refused token, and a refusal may only mean that there is no data.
"""

from collections.abc import Mapping

from vendors.kit import (
    BackendError,
    CommandRefused,
    Forbidden,
    NotFound,
    RateLimited,
    RawReply,
    Reply,
    Request,
    Unauthorized,
    VendorError,
)
from vendors.kit.parsing.reading import epoch, optional_text

# Parts of texts, in lower case: the time lies outside of what the vendor has, or the system has no IQ Battery. The
# Grid Services API passes on the text of the Monitoring API.
NO_DATA = (
    "requested date range is invalid for this system",
    "requested date is in the future",
    "can't be before 2 years",
    "system doesn't have encharge",
)
TEXTS = ("details", "displayMessage", "additionalInfo")
# Parts of the paths of calls that may have no data.
MAY_BE_EMPTY = ("/telemetry", "_lifetime", "/battery_settings")

# Monitoring API: the text for a key and a token of different applications, in lower case.
MISMATCH = "api key -client mismatch"
# Ends of the paths that not every plan covers: series of single devices, and settings.
GATED = ("/telemetry", "/battery_settings")

# Grid Services API: beginnings of texts, in lower case.
BAD_CREDENTIAL = ("forbidden", "x-api-key is not", "no account found")
NOT_ENROLLED = "site is not enrolled"
EMPTY_PROGRAM = "no sites were found"
DOWNSTREAM = "error occurred while getting response from downstream"
# The 400s for an event that need not be ended, since it does not run or is about to end.
NEED_NOT_END = ("only scheduled or in_progress events", "cancellation request is already")
# The meaning of a refusal to make or end an event, by its status.
EVENT_REFUSALS: Mapping[int, type[VendorError]] = {
    400: CommandRefused,
    403: Forbidden,
    404: NotFound,
    422: CommandRefused,
}


def monitoring_failure(reply: Reply, request: Request) -> VendorError | RawReply | None:
    """Meaning of a reply of the Monitoring API."""
    if reply.status == 401 and (optional_text(reply.json_object, "message") or "").lower() == MISMATCH:
        return Unauthorized(reply.url, "the API key and the token belong to different applications")
    if reply.status == 403 and is_dispensable(request):
        return reply.instead({})
    # 409 was the status in version 2 of the API; for this version it is not documented.
    if reply.status == 429 or (reply.status == 409 and "limit" in str(reply.json_object.get("details")).lower()):
        return limited(reply)
    return without_data(reply, request)


def grid_services_failure(reply: Reply, request: Request) -> VendorError | RawReply | None:
    """Meaning of a reply of the Grid Services API."""
    if reply.status < 400:
        return None
    message = str(reply.json_object.get("displayMessage") or reply.json_object.get("message") or "").lower()
    if reply.status == 403 and message.startswith(BAD_CREDENTIAL):
        return Unauthorized(reply.url)
    if reply.status == 403 and message.startswith(NOT_ENROLLED):
        return NotFound(reply.url, "the site is in no program of this account")
    if reply.status == 404 and message.startswith(EMPTY_PROGRAM):
        return reply.instead({"total": 0, "systems": []})
    if empty := without_data(reply, request):
        return empty
    if reply.status == 422 and message.startswith(DOWNSTREAM):
        return BackendError(reply.url)
    return event_refusal(reply, request, message)


def event_refusal(reply: Reply, request: Request, message: str) -> VendorError | RawReply | None:
    """Meaning of a refusal to make or end an event, with the vendor's words; None for other calls."""
    if not request.is_single_use or reply.status not in EVENT_REFUSALS:
        return None
    words = words_of_error(reply)
    if reply.status == 400 and message.startswith(NEED_NOT_END):
        return reply.instead({"message": words})
    refusal = EVENT_REFUSALS[reply.status](reply.url)
    refusal.words = words
    return refusal


def without_data(reply: Reply, request: Request) -> RawReply | None:
    """A reply without rows in place of a refusal that means no data; None for any other reply."""
    if reply.status != 422 or not any(part in request.path for part in MAY_BE_EMPTY):
        return None
    texts = " ".join(str(reply.json_object.get(name)) for name in TEXTS).lower()
    return reply.instead({"intervals": []}) if any(text in texts for text in NO_DATA) else None


def limited(reply: Reply) -> RateLimited:
    """A 429 with the end of the vendor's period where the body names it; else a minute, which is the common period.

    The vendor documents no Retry-After; should it send one, that counts.
    """
    if reply.retry_after is not None:
        return RateLimited(reply.url, retry_after=reply.retry_after)
    end = epoch(reply.json_object, "period_end")
    return RateLimited(reply.url, retry_at=end.timestamp() if end else None)


def is_gated(request: Request) -> bool:
    """Whether not every plan covers the call."""
    return request.path.endswith(GATED)


def is_dispensable(request: Request) -> bool:
    """Whether a record can do without the call: true of all gated calls except those for the intervals of a series."""
    return is_gated(request) and "start_at=" not in request.url


def words_of_error(reply: Reply) -> str:
    """The vendor's words in the body of an error: a title, and more, which often begins with the title."""
    title, more = (optional_text(reply.json_object, name) or "" for name in ("displayMessage", "additionalInfo"))
    return more if more.startswith(title) else ". ".join(filter(None, (title.rstrip("."), more)))
