"""Parts of /openapi.json that flask-smorest cannot see: names of vendors, and how a request authenticates."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, product
from typing import Any

from app.api.schemas.fields import VendorName
from app.api.schemas.vendor_credentials import ALL, NONE, VENDOR_AND_TYPE, Variant
from app.credentials.rules import Rules
from app.virtual.plugin import VENDOR
from vendors.kit.calls.cloud import Cloud


def name_vendors(converter: Any, vendors: Iterable[str]) -> None:
    """Lists the names of vendors wherever a schema has one. For apispec's converter, before it meets a schema."""
    names = [*vendors, VENDOR]

    def enumerate_names(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
        return {"enum": names} if isinstance(field, VendorName) else {}

    converter.add_attribute_function(enumerate_names)


def describe_variants(converter: Any, rules: Rules) -> None:
    """Lists the variants of credentials wherever a schema has them."""

    def describe(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
        return {"anyOf": list(_variants(rules, field.must_have))} if isinstance(field, Variant) else {}

    converter.add_attribute_function(describe)


def _variants(rules: Rules, must_have: str) -> Iterator[dict[str, Any]]:
    for vendor, variants in rules.variants.items():
        for type, variant in variants.items():
            names = {"vendor": {"type": "string", "enum": [vendor]}, "type": {"type": "string", "enum": [type]}}
            secrets = {member: {"type": "string"} for member in variant.members}
            required = {ALL: [*names, *secrets], VENDOR_AND_TYPE: [*names], NONE: []}
            yield {"type": "object", "properties": names | secrets, "required": required[must_have]}


def add_security(spec: Any, clouds: Mapping[str, Cloud]) -> None:
    """Adds the access token and the vendors' headers to the apispec document."""
    spec.components.security_scheme(
        "derapi",
        {
            "type": "oauth2",
            "description": "A token of POST /oauth2/token, sent as `Authorization: Bearer <token>`.",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {}}},
        },
    )
    # Any number of the vendors' headers may come together, which this format cannot express.
    security: list[dict[str, list[str]]] = [{"derapi": []}]
    for name, cloud in clouds.items():
        companions = cloud.vendor.credential_headers.companions.values()
        description = f"Your credential at {name}. Send one such header for each vendor to be asked."
        _add_header(spec, f"vendor-{name}", f"X-Authorization-{name}", description)
        for header in chain.from_iterable(companions):
            _add_header(spec, header, header, "A further part of a vendor's credential.")
        security += [{scheme: [] for scheme in ("derapi", f"vendor-{name}", *more)} for more in product(*companions)]
    spec.options["security"] = security


def _add_header(spec: Any, scheme: str, header: str, description: str) -> None:
    """Adds a header of a credential; two vendors may share one."""
    if scheme not in spec.components.security_schemes:
        spec.components.security_scheme(
            scheme, {"type": "apiKey", "in": "header", "name": header, "description": description}
        )
