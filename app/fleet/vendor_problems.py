"""Vendors' failures as problems, and as entries of `errorDetails`."""

from collections.abc import Mapping
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from app.web.problems import Problem
from vendors.kit import NotFound, VendorError
from vendors.kit.calls.cloud import Cloud


class NothingHere(NotFound):
    """A record that this service itself would hold, and does not hold for this caller. Its problem is that of an
    unknown id, so that no caller learns that the id exists."""


class DatabaseUnavailable(VendorError):
    """The service's database, which holds what a vendor would otherwise be asked for or with, does not answer."""

    code, status, reason = "database_unavailable", 503, "Service Unavailable"
    says = "The service cannot reach its database."
    advice = "Try again shortly."
    fault = "server"


def unknown_id() -> Problem:
    """404: the id leads nowhere, or not with what the request may reach."""
    return Problem(404, "not_found", "There is nothing with this id, or not for these vendor credentials.")


def problem(vendor: str, failure: VendorError) -> Problem:
    """A vendor's failure as the response to a request for one site or device."""
    if isinstance(failure, NothingHere):
        return unknown_id()
    headers = {} if failure.retry_after is None else {"Retry-After": str(ceil(failure.retry_after))}
    members = _circumstances(failure)
    if "url" in members:
        # The path contains the vendor's id, which a caller without access to the site or device must not learn.
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
    members: dict[str, Any] = {"fault": failure.fault, "action": failure.advice}
    if failure.url:
        members["url"] = failure.url
    if failure.retry_after is not None:
        # Rounded up: a client that retries too early is refused again, and 0 would mean at once.
        members["retryAfter"] = ceil(failure.retry_after)
    return members


def no_access(clouds: Mapping[str, Cloud]) -> Problem:
    """403: the request addresses no vendor at all."""
    expected = [f"X-Authorization-{name}" for name in clouds]
    return Problem(
        403,
        "vendor_access_missing",
        f"Send at least one vendor's credential, in a header {', '.join(expected)}.",
        expectedHeaders=expected,
    )
