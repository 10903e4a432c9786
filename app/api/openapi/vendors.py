"""Declarations of the plugins in the schemas of /openapi.json: names of vendors, and members of their credentials."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.api.schemas.fields import VendorName
from app.api.schemas.vendor_credentials import ALL, NONE, VENDOR_AND_TYPE, Variant
from app.credentials.rules import PATTERN, Rules
from app.fleet.vendor_access import MAX_VALUE
from app.virtual.plugin import VENDOR

SECRET = {"type": "string", "minLength": 1, "maxLength": MAX_VALUE, "pattern": f"^{PATTERN}$"}


def list_names(converter: Any, vendors: Iterable[str]) -> None:
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
    """The object of each variant. Requests may have no further members; clients ignore those of later versions."""
    is_request = must_have != VENDOR_AND_TYPE
    for vendor, variants in rules.variants.items():
        for type, variant in variants.items():
            names = {"vendor": {"type": "string", "enum": [vendor]}, "type": {"type": "string", "enum": [type]}}
            secrets = {member: SECRET if is_request else {"type": "string"} for member in variant.members}
            required = {ALL: [*names, *secrets], VENDOR_AND_TYPE: [*names], NONE: []}[must_have]
            schema = {"type": "object", "properties": names | secrets, "required": required}
            yield schema | ({"additionalProperties": False} if is_request else {})
