"""Result of reading one site or device at its vendor."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.fleet.fanout import VendorResult
from app.fleet.vendor_problems import describe, problem
from app.web.problems import Problem
from vendors.kit.records import Keyed


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The result of one vendor's sweep, with its failure in the forms in which a response reports it."""

    vendor: str
    vendor_result: VendorResult
    lag: timedelta
    """The vendor's usual lag."""

    @property
    def records(self) -> list[Keyed]:
        """The records that have arrived."""
        return self.vendor_result.records

    @property
    def age(self) -> float:
        """Seconds since the oldest reply that was reused."""
        return self.vendor_result.age

    @property
    def errors(self) -> dict[str, str]:
        """`errors` of the response: why records may be missing or stale."""
        return {self.vendor: self.vendor_result.error} if self.vendor_result.failure else {}

    @property
    def error_details(self) -> dict[str, dict[str, Any]]:
        """`errorDetails` of the response."""
        return {self.vendor: describe(self.vendor_result.failure)} if self.vendor_result.failure else {}

    def problem(self) -> Problem:
        """Why the requested record is missing: the vendor's failure, or a vendor that offers lists but no details."""
        if self.vendor_result.failure:
            return problem(self.vendor, self.vendor_result.failure)
        return Problem(404, "not_offered", f"{self.vendor} does not offer details of this, only its place in lists.")
