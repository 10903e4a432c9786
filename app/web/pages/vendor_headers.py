"""The headers of each vendor's credential, as a person fills them in."""

from collections.abc import Mapping
from dataclasses import dataclass

from vendors.kit.calls.cloud import Cloud
from vendors.kit.vendor import Stage


@dataclass(frozen=True, slots=True)
class VendorHeaders:
    """A vendor, the form of its credential's header in words, and the names of all headers of a credential.

    asked: whether this server asks the vendor. Credentials of the others can only be stored.
    """

    vendor: str
    form: str
    names: tuple[str, ...]
    asked: bool


def of_clouds(clouds: Mapping[str, Cloud]) -> list[VendorHeaders]:
    """The headers of all vendors, sorted by vendor."""
    return [_of(name, cloud) for name, cloud in sorted(clouds.items())]


def _of(vendor: str, cloud: Cloud) -> VendorHeaders:
    headers = cloud.vendor.credential_headers
    form = ""
    try:
        headers.scheme("")
    except ValueError as refusal:
        # An empty value is refused in words that tell the form, such as "must be: Bearer <token>".
        form = str(refusal).removeprefix("must be").lstrip(": ")
    # Where a header has alternatives, the first is the vendor's own.
    companions = tuple(alternatives[0] for alternatives in headers.companions.values())
    return VendorHeaders(
        vendor, form, (f"X-Authorization-{vendor}", *companions), cloud.vendor.stage is not Stage.DECLARED
    )
