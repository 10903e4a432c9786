"""Vendors' failures as answers: a problem, or an entry of `errorDetails`."""

from collections.abc import Mapping
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from app.web.problems import Problem
from vendors.kit import VendorError
from vendors.kit.calls.cloud import Cloud


def problem(vendor: str, failure: VendorError) -> Problem:
    """A vendor's failure as the answer of a request for one thing."""
    headers = {} if failure.retry_after is None else {"Retry-After": str(ceil(failure.retry_after))}
    members = _circumstances(failure)
    if "url" in members:
        # The path names the thing by its vendor's id. Who has only our id, and no right to it, must not learn that.
        members["url"] = "{0.scheme}://{0.netloc}".format(urlsplit(members["url"]))
    return Problem(failure.status, failure.code, failure.detail, headers=headers, vendor=vendor, **members)


def describe(failure: VendorError) -> dict[str, Any]:
    """A failure for programs and people, as `errorDetails` of a list has it."""
    return {
        "code": failure.code,
        "status": failure.status,
        "detail": failure.detail,
        **_circumstances(failure),
    }


def _circumstances(failure: VendorError) -> dict[str, Any]:
    found: dict[str, Any] = {"fault": failure.fault, "action": failure.advice}
    if failure.url:
        found["url"] = failure.url
    if failure.retry_after is not None:
        # Rounded up: a client that comes back too early is refused again, and none is to read 0.
        found["retryAfter"] = ceil(failure.retry_after)
    return found


def no_access(clouds: Mapping[str, Cloud]) -> Problem:
    """403: the request addresses no vendor at all."""
    expected = [f"X-Authorization-{name}" for name in clouds]
    return Problem(
        403,
        "vendor_access_missing",
        f"Send at least one vendor's credential, in a header {', '.join(expected)}.",
        expectedHeaders=expected,
    )
