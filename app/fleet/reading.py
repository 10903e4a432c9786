"""Reads one site or device at its vendor, with each credential in turn until one shows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.fleet.fanout import SweepResult
from app.fleet.vendor_problems import CredentialFailure, VendorFailure, failure_of
from app.web.problems import Problem
from vendors.kit import Credential, Forbidden, NotFound, Timeout, Unauthorized
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy
from vendors.kit.records import Keyed

# With these a vendor denies a site or device to one credential, and may show it to another.
REFUSALS = (NotFound, Forbidden, Unauthorized)


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The sweep that showed the site or device; if none did, the first one, and why no credential did."""

    sweep: SweepResult
    failures: dict[str, VendorFailure]
    """The vendor's failure, if there is one."""
    lag: timedelta
    """The vendor's usual lag."""

    @property
    def vendor(self) -> str:
        return self.sweep.vendor

    @property
    def records(self) -> list[Keyed]:
        """The records that have arrived."""
        return self.sweep.records

    @property
    def age(self) -> float:
        """Seconds since the oldest reply that was reused."""
        return self.sweep.age

    @property
    def errors(self) -> dict[str, str]:
        """`errors` of the response: why records may be missing or stale."""
        return {vendor: failure.text for vendor, failure in self.failures.items()}

    @property
    def error_details(self) -> dict[str, dict[str, Any]]:
        """`errorDetails` of the response."""
        return {vendor: failure.details for vendor, failure in self.failures.items()}

    def problem(self) -> Problem:
        """Why the requested record is missing: the vendor's failure, or a vendor that offers lists but no details."""
        for vendor, failure in self.failures.items():
            return failure.problem(vendor)
        return Problem(404, "not_offered", f"{self.vendor} does not offer details of this, only its place in lists.")


def read_in_turn(
    ask: Callable[[Credential], SweepResult],
    credentials: Sequence[Credential],
    last: Credential | None,
    refused: Sequence[CredentialFailure],
    expected: type[Keyed],
    deadline: Deadline,
) -> tuple[SweepResult, list[CredentialFailure]]:
    """Asks with one credential after the other until a record of the `expected` kind arrives, or until the vendor does
    not offer it. Returns the sweep that ended the search, else the first, and the failures that explain it.

    last: the credential that last showed the record, which is asked first. While it cannot answer, the others are not
    asked: that would spend their quotas. refused: credentials that cannot be used; any of them might show the record.
    """
    in_order = [last, *(each for each in credentials if each is not last)] if last else credentials
    results: list[SweepResult] = []
    for credential in in_order:
        result = ask(credential)
        if result.failure is None or result.has(expected):
            return result, failure_of(result)
        if credential is last and not isinstance(result.failure, REFUSALS):
            return result, failure_of(result)
        results.append(result)
        if isinstance(result.failure, Busy) or deadline.left() <= 0:
            break
    asked = [failed for result in results for failed in failure_of(result)]
    not_asked = in_order[len(results) :]
    return results[0], _interrupted(asked[-1], not_asked) if not_asked else [*asked, *refused]


def _interrupted(last: CredentialFailure, not_asked: Sequence[Credential]) -> list[CredentialFailure]:
    """Why some credentials were not asked. That the others show nothing is no answer then."""
    if not isinstance(last.failure, Busy | Timeout):
        timeout = Timeout(why="no call was made in time")
        return [CredentialFailure(timeout, credential.row) for credential in not_asked]
    return [last, *(CredentialFailure(last.failure, credential.row) for credential in not_asked)]
