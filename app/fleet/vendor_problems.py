"""Vendors' failures as problems, and as entries of `errors` and `errorDetails`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from app.error_table import ErrorKind
from app.fleet.fanout import SweepResult
from app.web.problems import Problem
from vendors.kit import Credential, NotFound, VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.credentials import StoredRow

# A client may have stored 200 credentials of a vendor.
MAX_CREDENTIALS_SHOWN = 20
HOW_TO_STORE = "store them with POST /vendor-credentials"


class NothingHere(NotFound):
    """A record that this service itself would hold, and does not hold for this caller. Its problem is that of an
    unknown id, so that no caller learns that the id exists."""


class DatabaseUnavailable(VendorError):
    """The service's database, which holds what a vendor would otherwise be asked for or with, does not answer."""

    code, status, reason = "database_unavailable", 503, "Service Unavailable"
    says = "The service cannot reach its database."
    advice = "Try again shortly."
    fault = "server"


@dataclass(frozen=True, slots=True)
class CredentialFailure:
    """Why records are missing that one credential would show. row: of a stored credential."""

    failure: VendorError
    row: StoredRow | None = None
    incomplete: str = ""

    @property
    def members(self) -> dict[str, Any]:
        """The failure in the list of a vendor's stored credentials that failed."""
        row = {"id": self.row.id, "name": self.row.name} if self.row else {}
        return row | {"code": self.failure.code, "status": self.failure.status} | self._retry_after

    @property
    def details(self) -> dict[str, Any]:
        """The failure for programs and people."""
        failure = self.failure
        return {"code": failure.code, "status": failure.status, "detail": failure.detail, **self.circumstances}

    @property
    def circumstances(self) -> dict[str, Any]:
        """Whose fault it is, what to do, which call failed, and how long to wait."""
        advice = self.failure.stored_advice if self.row else ""
        members: dict[str, Any] = {"fault": self.failure.fault, "action": advice or self.failure.advice}
        if self.failure.url:
            members["url"] = self.failure.url
        return members | self._retry_after

    @property
    def _retry_after(self) -> dict[str, int]:
        """Rounded up: a client that retries too early is refused again, and 0 would mean at once."""
        seconds = self.failure.retry_after
        return {} if seconds is None else {"retryAfter": ceil(seconds)}


class VendorFailure:
    """The failures of one vendor, of one or of several credentials, reported as its worst one.

    grants: the number of the client's grants at this vendor, those that work among them.
    """

    def __init__(self, failures: Iterable[CredentialFailure], grants: int = 0) -> None:
        self._grants = grants
        # Sorting keeps the order of equally severe failures, so that the same failures give the same text.
        self._failures = sorted(failures, key=lambda failed: -failed.failure.severity)
        self._first = self._failures[0]
        self.worst = self._first.failure

    @property
    def text(self) -> str:
        """Text for `errors`; it ends with the names of stored credentials."""
        return f"{self.worst}{self._incomplete}{self._names}"

    @property
    def details(self) -> dict[str, Any]:
        """The failure for programs and people, as `errorDetails` has it."""
        return self._first.details | self._credentials

    def problem(self, vendor: str) -> Problem:
        """The failure as the response to a request for one site or device."""
        if isinstance(self.worst, NothingHere):
            return unknown_id()
        members = self._first.circumstances | self._credentials
        headers = {"Retry-After": str(members["retryAfter"])} if "retryAfter" in members else {}
        if "url" in members:
            # The path contains the vendor's id, which a caller without access to the site or device must not learn.
            members["url"] = "{0.scheme}://{0.netloc}".format(urlsplit(members["url"]))
        detail = f"{self.worst.detail.removesuffix('.')}{self._names}."
        return Problem(self.worst.status, self.worst.code, detail, headers=headers, vendor=vendor, **members)

    @property
    def _incomplete(self) -> str:
        """How much is missing: of several grants the number that have answered."""
        failed = sum(failure.row.is_grant for failure in self._failures if failure.row)
        if self._grants > 1 and failed:
            return f" (incomplete: {self._grants - failed} of {self._grants} grants)"
        return self._first.incomplete

    @property
    def _names(self) -> str:
        first = self._first.row
        if first is None:
            return ""
        others = len(self._failures) - 1
        return f' ({_kind(first)} "{first.name}"{f", and {others} more" if others else ""})'

    @property
    def _credentials(self) -> dict[str, Any]:
        """The stored credentials that failed, the worst first."""
        shown = [failed.members for failed in self._failures if failed.row]
        return {"credentials": shown[:MAX_CREDENTIALS_SHOWN], "credentialsFailed": len(shown)} if shown else {}


def _kind(row: StoredRow) -> str:
    return "grant" if row.is_grant else "credentials"


def failures_by_vendor(
    results: Sequence[SweepResult],
    refused: Mapping[str, Sequence[CredentialFailure]],
    credentials: Mapping[str, Sequence[Credential]] = MappingProxyType({}),
) -> dict[str, VendorFailure]:
    """Each vendor's failure: of its sweeps, and of its credentials that cannot be used.

    credentials: all that can be used, also those whose records were cached.
    """
    failures = {vendor: list(refusals) for vendor, refusals in refused.items()}
    for result in results:
        for failed in failure_of(result):
            failures.setdefault(result.vendor, []).append(failed)
    return {
        vendor: VendorFailure(failed, _grants(refused.get(vendor, ()), credentials.get(vendor, ())))
        for vendor, failed in sorted(failures.items())
    }


def _grants(refused: Iterable[CredentialFailure], usable: Iterable[Credential]) -> int:
    rows = [*(failed.row for failed in refused), *(credential.row for credential in usable)]
    return sum(row.is_grant for row in rows if row)


def failure_of(result: SweepResult) -> list[CredentialFailure]:
    """The failure of a sweep, with the credential that it used; none if it succeeded."""
    if result.failure is None:
        return []
    return [CredentialFailure(result.failure, result.credential.row, result.incomplete)]


def unknown_id() -> Problem:
    """404: the id leads nowhere, or not with what the request may reach."""
    return Problem(
        404, "not_found", "There is nothing with this id, or this client and its credentials do not reach it."
    )


def no_access(clouds: Mapping[str, Cloud]) -> Problem:
    """403: the request addresses no vendor at all, and its client has stored no credentials."""
    expected = [f"X-Authorization-{name}" for name in clouds]
    return Problem(
        403,
        "vendor_access_missing",
        f"Send at least one vendor's credential, in a header {', '.join(expected)}, or {HOW_TO_STORE}.",
        expectedHeaders=expected,
    )


def no_access_to(vendor: str) -> Problem:
    """403: the request does not address the vendor of an id, and its client has stored no credentials of it."""
    header = f"X-Authorization-{vendor}"
    detail = f"To read this, send the header {header} with {vendor}'s credentials, or {HOW_TO_STORE}."
    return Problem(403, "vendor_access_missing", detail, vendor=vendor)


def kinds() -> list[ErrorKind]:
    """The failures that a vendor may be reported with, from their classes: each code with each of its causes."""
    # A class that says nothing itself is reported as the class above it, or never.
    said = (failure for failure in _classes(VendorError) if "says" in vars(failure))
    failures = [failure for failure in said if failure.__module__.startswith(("vendors.kit", "app."))]
    explained = (
        ErrorKind(failure.code, failure.status, failure.reason, failure.says, failure.fault, failure.advice)
        for failure in failures
    )
    return sorted(dict.fromkeys(explained), key=lambda kind: (kind.status, kind.code))


def _classes(kind: type[VendorError]) -> Iterator[type[VendorError]]:
    """A class of failures and all its subclasses."""
    yield kind
    for subclass in kind.__subclasses__():
        yield from _classes(subclass)
