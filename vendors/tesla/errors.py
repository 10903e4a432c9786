"""Meanings of Tesla's refusals where HTTP does not tell them."""

import re

from vendors.kit import BackendError, Forbidden, Permanent, RateLimited, Reply, Request, VendorError
from vendors.kit.parsing.reading import number

# A site that was taken down fails with this text permanently, other sites now and then. With a list it has no meaning.
RETIRED, OF_A_SITE = "upstream internal error", "/energy_sites/"
RETRY_IN = re.compile(r"Retry in (\d{1,6}) seconds")
STATUSES: dict[int, tuple[type[VendorError], str]] = {
    402: (Forbidden, "the vendor has suspended the account, or its billing limit is reached"),
    408: (BackendError, "the device is offline"),
    423: (Forbidden, "the vendor has locked the account"),
    424: (BackendError, "the device gave no valid answer"),
    451: (Forbidden, "the owner's privacy settings do not allow it"),
}


def failure_of(reply: Reply, request: Request) -> VendorError | None:
    """The failure that a reply is; None where its status tells it."""
    if reply.status in STATUSES:
        kind, why = STATUSES[reply.status]
        return kind(reply.url, why)
    if reply.status == 403 and "scope" in str(reply.json_object.get("error")).lower():
        return Forbidden(reply.url, "the token lacks the scope energy_device_data")
    if reply.status == 429:
        return limited(reply)
    if reply.status == 500 and reply.json_object.get("error") == RETIRED and OF_A_SITE in request.path:
        return Permanent(reply.url, "it fails as for a site that was taken down")
    if reply.status == 200 and not isinstance(reply.json_object.get("response", {}), dict | list):
        return BackendError(reply.url, "the vendor has no data")
    return None


def limited(reply: Reply) -> RateLimited:
    """A 429 with the vendor's hint: a header, another header, or a number in its text, up to several hours."""
    in_text = RETRY_IN.search(reply.text)
    hints = (reply.retry_after, number(reply.headers, "RateLimit-Reset"), float(in_text.group(1)) if in_text else None)
    return RateLimited(reply.url, retry_after=next((hint for hint in hints if hint and hint > 0), None))
