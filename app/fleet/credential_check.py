"""Tries a credential at its vendor, and says in plain words what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.fleet import fanout
from app.fleet.vendor_access import consent_missing
from vendors.kit import Credential, Forbidden, NotFound, RateLimited, Unauthorized, Vendor, VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.calls.signer import ConsentMissing
from vendors.kit.deadline import Deadline
from vendors.kit.records import Keyed


class Verdict(StrEnum):
    """The outcome of a check."""

    WORKS = "works"
    REFUSED = "refused"
    NEEDS_CONSENT = "needs consent"
    NOT_YET = "cannot be asked yet"
    """For a reason on this side: a spent quota, a plugin that makes no calls, a secret that cannot be read."""
    VENDOR_DOWN = "vendor down"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict, and the failure on which it rests."""

    verdict: Verdict
    failure: VendorError | None = None


def check(clouds: Mapping[str, Cloud], vendor: str, credential: Credential, deadline: Deadline) -> CheckResult:
    """Makes the one call of `Vendor.check_credential`, for which an access token may have to be got first."""
    if failure := consent_missing(credential):
        return failed(failure)
    [result] = fanout.fan_out(clouds, {vendor: [credential]}, _call, deadline, Mode.REFRESH)
    return failed(result.failure) if result.failure else CheckResult(Verdict.WORKS)


def failed(failure: VendorError) -> CheckResult:
    """The verdict on a credential with which this failure came."""
    if isinstance(failure, ConsentMissing):
        verdict = Verdict.NEEDS_CONSENT
    elif isinstance(failure, Unauthorized | Forbidden | NotFound):
        verdict = Verdict.REFUSED
    elif isinstance(failure, RateLimited) or failure.fault == "server":
        verdict = Verdict.NOT_YET
    else:
        verdict = Verdict.VENDOR_DOWN
    return CheckResult(verdict, failure)


def _call(vendor: Vendor) -> Iterator[Keyed]:
    vendor.check_credential()
    return iter(())
