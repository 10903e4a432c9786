"""Declarations of the plugins in the schemas of /openapi.json: names of vendors, and members of their credentials."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.api.schemas.fields import VendorName
from app.api.schemas.join import VendorOfJoin
from app.api.schemas.vendor_credentials import ALL, NONE, VENDOR_AND_TYPE, Variant
from app.credentials.rules import PATTERN, Rules
from app.fleet.vendor_access import MAX_VALUE
from app.join.config import REFERENCE, Parser
from app.virtual.plugin import VENDOR
from vendors.kit.variants import CodeGrant, TypedKeys
from vendors.kit.variants import Variant as VariantOfVendor

CLOSED = {"additionalProperties": False}
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


def describe_join(converter: Any, parser: Parser) -> None:
    """Lists what each vendor of a session or flow needs wherever a schema has one."""

    def describe(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
        return {"anyOf": list(_of_join(parser, field))} if isinstance(field, VendorOfJoin) else {}

    converter.add_attribute_function(describe)


def _of_join(parser: Parser, field: VendorOfJoin) -> Iterator[dict[str, Any]]:
    """The object of each vendor. In responses it has the reference to stored credentials at most."""
    reference = {"type": "object", "properties": {REFERENCE: {"type": "string"}}, "required": [REFERENCE]}
    for vendor in parser.vendors:
        variants = parser.consenting(vendor)
        forms = [] if all(isinstance(variant.consent, TypedKeys) for variant in variants) else [reference]
        if field.is_request:
            forms += [_inline(variant) for variant in variants if isinstance(variant.consent, CodeGrant)]
        properties: dict[str, Any] = {"vendor": {"type": "string", "enum": [vendor]}}
        if forms:
            properties["credentials"] = {"anyOf": [form | CLOSED for form in forms] if field.is_request else forms}
        is_optional = not field.is_request or any(isinstance(variant.consent, TypedKeys) for variant in variants)
        required = ["vendor"] if is_optional else ["vendor", "credentials"]
        schema = {"type": "object", "properties": properties, "required": required}
        yield schema | (CLOSED if field.is_request else {})


def _inline(variant: VariantOfVendor) -> dict[str, Any]:
    members = dict.fromkeys(variant.members, SECRET)
    return {"type": "object", "properties": members, "required": [*members]}


def _variants(rules: Rules, must_have: str) -> Iterator[dict[str, Any]]:
    """The object of each variant. Requests may have no further members; clients ignore those of later versions."""
    is_request = must_have != VENDOR_AND_TYPE
    for vendor, variants in rules.variants.items():
        for type, variant in variants.items():
            names = {"vendor": {"type": "string", "enum": [vendor]}, "type": {"type": "string", "enum": [type]}}
            secrets = {member: SECRET if is_request else {"type": "string"} for member in variant.members}
            required = {ALL: [*names, *secrets], VENDOR_AND_TYPE: [*names], NONE: []}[must_have]
            schema = {"type": "object", "properties": names | secrets, "required": required}
            yield schema | (CLOSED if is_request else {})
