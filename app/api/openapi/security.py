"""How a request authenticates: by an access token, and in addition by what opens a vendor."""

import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from flask import Flask

from app.api.openapi.operations import VENDOR_SCHEME
from app.auth import scopes
from app.auth.scopes import Scope
from vendors.kit.calls.cloud import Cloud

TOKEN = "derapi"  # noqa: S105 - the scheme of the access token
Alternatives = list[dict[str, list[str]]]


def schemes(clouds: Mapping[str, Cloud], base: str) -> dict[str, dict[str, Any]]:
    """The access token, and each header of a vendor's credential; two vendors may share a header.

    base: the service's URL as its users see it, or an empty text.
    """
    meanings = {scope.value: meaning for scope, meaning in scopes.MEANINGS.items()}
    known: dict[str, dict[str, Any]] = {
        TOKEN: {
            "type": "oauth2",
            "description": "A token of POST /oauth2/token, sent as `Authorization: Bearer <token>`.",
            "flows": {"clientCredentials": {"tokenUrl": f"{base}/oauth2/token", "scopes": meanings}},
        }
    }
    for name, cloud in clouds.items():
        description = f"Your credential at {name}. Send one such header for each vendor that you want to reach."
        known[f"{VENDOR_SCHEME}{name}"] = _header(f"X-Authorization-{name}", description)
        for headers in cloud.vendor.credential_headers.companions.values():
            known |= {header: _header(header, "A further part of a vendor's credential.") for header in headers}
    return known


def alternatives(clouds: Mapping[str, Cloud], needed: Iterable[Scope] = (Scope.READ,)) -> Alternatives:
    """For operations that call vendors: a token with any of these scopes, with one vendor's credential or alone, as
    virtual clients send it.

    Credentials of several vendors may come together, which this format cannot express.
    """
    return [alternative for scope in needed for alternative in _of_scope(clouds, scope)]


def _of_scope(clouds: Mapping[str, Cloud], scope: Scope) -> Alternatives:
    with_vendor = (_needed(scope, name, headers) for name, cloud in clouds.items() for headers in _headers(cloud))
    return [*with_vendor, _needed(scope)]


def of_token(needed: Iterable[Scope]) -> Alternatives:
    """For all other operations: a token with any of these scopes."""
    return [{TOKEN: [scope]} for scope in needed]


def scopes_by_operation(app: Flask) -> dict[tuple[str, str], tuple[Scope, ...]]:
    """The scopes that each route declares, by its method and path in the document."""
    return {
        (method.lower(), re.sub("<(.*?)>", r"{\1}", rule.rule)): needed
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if (needed := getattr(app.view_functions[rule.endpoint], scopes.NEEDED, ()))
    }


def _headers(cloud: Cloud) -> Iterable[tuple[str, ...]]:
    """The further headers that belong to a vendor's credential, in each permitted combination."""
    return product(*cloud.vendor.credential_headers.companions.values())


def _needed(scope: Scope, vendor: str | None = None, headers: Iterable[str] = ()) -> dict[str, list[str]]:
    names = [TOKEN, *headers] if vendor is None else [TOKEN, f"{VENDOR_SCHEME}{vendor}", *headers]
    return {name: [scope] if name == TOKEN else [] for name in names}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}
