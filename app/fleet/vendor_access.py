"""Which vendor clouds a request may reach: by its `X-Authorization-<vendor>` headers, which are read and checked here,
and by the credentials that its client has stored."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from werkzeug.datastructures import EnvironHeaders, Headers

from app.fleet.vendor_problems import HOW_TO_STORE, CredentialFailure
from app.web.problems import Problem
from vendors.kit import Credential, Unauthorized, Vendor, VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.signer import ConsentMissing
from vendors.kit.credentials import StoredRow

PREFIX = "x-authorization-"
# Below gunicorn's limit_request_field_size, so that a longer value gets a problem and not gunicorn's HTML.
MAX_VALUE = 8192
# Any number of blanks may stand behind the scheme (RFC 9110, section 11.4).
VISIBLE = re.compile(r"(?:(?i:basic|bearer) +)?[\x21-\x7e]+(?: [\x21-\x7e]+)*")
MAX_NAME = 40


class UnknownVendor(VendorError):
    """A header for a vendor that this server does not know."""

    code, status, reason = "unknown_vendor", 400, "Unknown vendor"
    says = "This server does not know the vendor."
    advice = "Correct the name in the X-Authorization header."
    fault = "caller"


class CredentialMissing(Unauthorized):
    """A vendor is asked for by its name alone: the request has no header for it, and the client has stored none of its
    credentials."""

    says = "The request brings no credential of this vendor."
    advice = f"Send the vendor's credential in its X-Authorization header, {HOW_TO_STORE}, or leave out the filter."


@dataclass
class VendorAccess:
    """Usable credentials by vendor name, and the reasons why other credentials cannot be used.

    addressable: the vendors that the caller could have sent a header for; all others do not exist for it.
    """

    credentials: dict[str, Sequence[Credential]] = field(default_factory=dict)
    """A header gives one credential, stored credentials may be many."""
    refused: dict[str, Sequence[CredentialFailure]] = field(default_factory=dict)
    addressable: Collection[str] = ()

    def __bool__(self) -> bool:
        return bool(self.credentials or self.refused)

    @property
    def vendors(self) -> set[str]:
        """The vendors that the request addresses, as far as they exist for the caller."""
        return {vendor for vendor in (*self.credentials, *self.refused) if self.knows(vendor)}

    def knows(self, vendor: str) -> bool:
        """Whether this vendor exists for the caller."""
        return vendor in self.credentials or vendor in self.addressable

    def only(self, vendor: str) -> "VendorAccess":
        """The access to one vendor; without any credential of it, that is the reason. There is no access to a vendor
        that does not exist for the caller."""
        if not self.knows(vendor):
            return VendorAccess()
        if vendor not in self.credentials and vendor not in self.refused:
            missing = CredentialMissing(why=f"X-Authorization-{vendor} is missing")
            return VendorAccess(refused={vendor: [CredentialFailure(missing)]})
        return VendorAccess(
            {name: value for name, value in self.credentials.items() if name == vendor},
            {name: why for name, why in self.refused.items() if name == vendor},
        )

    @property
    def hiding(self) -> dict[str, Sequence[CredentialFailure]]:
        """Of the credentials that cannot be used, those that may have shown an id that is not found now."""
        hiding = {
            vendor: [each for each in failed if each.failure.hides_ids] for vendor, failed in self.refused.items()
        }
        return {vendor: failed for vendor, failed in hiding.items() if failed}

    def add_stored(
        self,
        usable: Mapping[str, Iterable[Credential]],
        refused: Mapping[str, Iterable[tuple[StoredRow, VendorError]]],
    ) -> None:
        """Adds the stored credentials of the vendors without a header; a header wins, also one that is unusable.

        refused: stored credentials that cannot be read, by vendor as well, with the reasons.
        """
        for vendor in {**usable, **refused}:
            if vendor in self.credentials or vendor in self.refused:
                continue
            credentials: list[Credential] = []
            failures = [CredentialFailure(failure, row) for row, failure in refused.get(vendor, ())]
            for credential in usable.get(vendor, ()):
                if lacking := consent_missing(credential):
                    failures.append(CredentialFailure(lacking, credential.row))
                else:
                    credentials.append(credential)
            if credentials:
                self.credentials[vendor] = credentials
            if failures:
                self.refused[vendor] = failures


def consent_missing(credential: Credential) -> ConsentMissing | None:
    """Why no call can be made with the credential, which would count a call for nothing."""
    return ConsentMissing(credential.variant) if credential.variant and credential.lacks_consent else None


def read(headers: Headers | EnvironHeaders, clouds: Mapping[str, Cloud]) -> VendorAccess:
    """The access that a request's headers give. Raises a 400 Problem that names an unsendable header."""
    lowered = {name.lower(): value for name, value in headers}
    companions = _companions(tuple(cloud.vendor for cloud in clouds.values()))
    access = VendorAccess(addressable=clouds.keys())
    for name in sorted(lowered):
        if name.startswith(PREFIX) or name in companions:
            _check(name, lowered[name], companions.get(name))
        if name.startswith(PREFIX):
            _add(access, name.removeprefix(PREFIX), lowered, clouds)
    return access


def refuse_headers(headers: Headers | EnvironHeaders, clouds: Mapping[str, Cloud], why: str) -> None:
    """Raises a 400 Problem for a header of any vendor, known or not; `why` completes "The header ...: "."""
    companions = _companions(tuple(cloud.vendor for cloud in clouds.values()))
    for name in sorted(name.lower() for name, _ in headers):
        if name.startswith(PREFIX) or name in companions:
            shown = _shown(name, companions.get(name))
            raise Problem(400, "invalid_header", f"The header {shown} does not belong here: {why}", header=shown)


@lru_cache(maxsize=16)
def _companions(vendors: tuple[type[Vendor], ...]) -> Mapping[str, str]:
    """Names of additional headers that belong to a credential, by their lower-case form."""
    return {
        header.lower(): header
        for vendor in vendors
        for alternatives in vendor.credential_headers.companions.values()
        for header in alternatives
    }


def _add(access: VendorAccess, vendor: str, headers: Mapping[str, str], clouds: Mapping[str, Cloud]) -> None:
    if vendor not in clouds:
        access.refused[vendor[:MAX_NAME]] = [CredentialFailure(UnknownVendor(why=_hint(vendor, clouds)))]
        return
    try:
        access.credentials[vendor] = [clouds[vendor].vendor.credential_headers.read(vendor, headers)]
    except VendorError as failure:
        access.refused[vendor] = [CredentialFailure(failure)]


def _hint(vendor: str, clouds: Mapping[str, Cloud]) -> str:
    close = difflib.get_close_matches(vendor, clouds, n=1)
    return f"did you mean {close[0]}?" if close else f"this server knows {', '.join(clouds)}"


def _check(name: str, value: str, companion: str | None) -> None:
    """Raises a Problem for an unsendable value. A WSGI server joins a header that was sent twice with a comma, which no
    vendor's credential contains."""
    shown = _shown(name, companion)
    fault = ""
    if name == PREFIX:
        fault = "names no vendor"
    elif len(value) > MAX_VALUE:
        fault = f"is longer than {MAX_VALUE} characters"
    elif "," in value:
        fault = "was sent twice, or holds a comma"
    elif value and not VISIBLE.fullmatch(value):
        fault = "may hold visible ASCII characters and single blanks only"
    if fault:
        raise Problem(400, "invalid_header", f"The header {shown} {fault}.", header=shown)


def _shown(name: str, companion: str | None) -> str:
    """The header's name as the documentation spells it, in whatever case it was sent."""
    return companion or f"X-Authorization-{name.removeprefix(PREFIX)[:MAX_NAME]}"
