"""How a request authenticates: by an access token, and in addition by what opens a vendor."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from vendors.kit.calls.cloud import Cloud

TOKEN = "derapi"  # noqa: S105 - the scheme of the access token
Alternatives = list[dict[str, list[str]]]


def schemes(clouds: Mapping[str, Cloud], base: str) -> dict[str, dict[str, Any]]:
    """The access token, and each header of a vendor's credential; two vendors may share a header.

    base: the service's URL as its users see it, or an empty text.
    """
    known: dict[str, dict[str, Any]] = {
        TOKEN: {
            "type": "oauth2",
            "description": "A token of POST /oauth2/token, sent as `Authorization: Bearer <token>`.",
            "flows": {"clientCredentials": {"tokenUrl": f"{base}/oauth2/token", "scopes": {}}},
        }
    }
    for name, cloud in clouds.items():
        description = f"Your credential at {name}. Send one such header for each vendor that you want to reach."
        known[f"vendor-{name}"] = _header(f"X-Authorization-{name}", description)
        for headers in cloud.vendor.credential_headers.companions.values():
            known |= {header: _header(header, "A further part of a vendor's credential.") for header in headers}
    return known


def alternatives(clouds: Mapping[str, Cloud]) -> Alternatives:
    """The token with one vendor's credential, or the token alone, as virtual clients send it.

    Credentials of several vendors may come together, which this format cannot express.
    """
    with_vendor = (_needed(name, headers) for name, cloud in clouds.items() for headers in _headers(cloud))
    return [*with_vendor, _needed()]


def _headers(cloud: Cloud) -> Iterable[tuple[str, ...]]:
    """The further headers that belong to a vendor's credential, in each permitted combination."""
    return product(*cloud.vendor.credential_headers.companions.values())


def _needed(vendor: str | None = None, headers: Iterable[str] = ()) -> dict[str, list[str]]:
    names = [TOKEN, *headers] if vendor is None else [TOKEN, f"vendor-{vendor}", *headers]
    return {name: [] for name in names}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}
