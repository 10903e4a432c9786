"""Stored vendor credentials: bodies and queries of requests, and responses. Plugins declare the members of variants."""

from typing import Any

import marshmallow as ma

from app.api.schemas.body_fields import RequestBody
from app.api.schemas.fields import Flag, ResponseSchema, Text, VendorName
from app.api.schemas.lists import PageQuery
from app.fleet.credential_check import Verdict

LONGEST_NAME = 100
ALL, VENDOR_AND_TYPE, NONE = "all", "vendor and type", "none"
NAME_TEXT = "Not necessarily unique."


class SecretsQuery(ma.Schema):
    """Whether the response shows secrets."""

    include_secrets = Flag(
        data_key="includeSecrets",
        load_default=False,
        metadata={"description": "Whether the response has the secret members, which needs the scope `credentials`."},
    )


class ForceQuery(ma.Schema):
    """Whether open orders are in the way of a deletion."""

    force = Flag(
        load_default=False,
        metadata={"description": "Whether orders to batteries that depend on it are cancelled first."},
    )


class DeleteCredentialsQuery(SecretsQuery, ForceQuery):
    """The answer has no body, and so no secrets."""


class CredentialListQuery(PageQuery, SecretsQuery):
    """Filters of the list; both compare exactly."""

    vendor = VendorName(metadata={"description": "Only for this vendor."})
    name = Text(metadata={"description": "Only with this name."})


class Variant(ma.fields.Dict):
    """An object of one of the variants that the plugins declare, which app.api.openapi lists.

    must_have: the members that cannot be left out: ALL, or in responses VENDOR_AND_TYPE, or in a merge patch NONE.
    """

    error_messages = {"invalid": "Must be a JSON object.", "null": "Must be a JSON object."}

    def __init__(self, must_have: str, **options: Any) -> None:
        super().__init__(**options)
        self.must_have = must_have


class CreateVendorCredentialsRequest(RequestBody):
    """Credentials to be stored."""

    name = Text(LONGEST_NAME, metadata={"description": f"{NAME_TEXT} Without it, the server makes one."})
    credentials = Variant(ALL, required=True)


class UpdateVendorCredentialsRequest(RequestBody):
    """A merge patch (RFC 7396) of stored credentials. Vendor and type may be repeated, but not changed."""

    name = Text(
        LONGEST_NAME, allow_none=True, metadata={"description": f"{NAME_TEXT} With null, the server makes one."}
    )
    credentials = Variant(NONE)


class VendorCredentialsSchema(ResponseSchema):
    """Stored credentials."""

    id = ma.fields.String(required=True, metadata={"example": "cred-4a754i27ee1cb550"})
    name = ma.fields.String(required=True)
    credentials = Variant(VENDOR_AND_TYPE, required=True)


class CredentialCheckSchema(ResponseSchema):
    """The outcome of a check; all members but the first three only if the credentials do not work."""

    id = ma.fields.String(required=True, metadata={"example": "cred-4a754i27ee1cb550"})
    result = ma.fields.String(required=True, metadata={"enum": [verdict.value for verdict in Verdict]})
    detail = ma.fields.String(required=True, metadata={"description": "One sentence for people."})
    code = ma.fields.String(metadata={"description": "A fixed word for programs, as in errorDetails of a list."})
    status = ma.fields.Integer(metadata={"description": "The HTTP status that this has on a single resource."})
    fault = ma.fields.String(metadata={"description": "Whose it is.", "enum": ["caller", "vendor", "server"]})
    action = ma.fields.String(metadata={"description": "What to do next."})
    url = ma.fields.String(metadata={"description": "What was called, without its query."})
    retryAfter = ma.fields.Integer(metadata={"description": "Seconds."})


class VendorCredentialsPage(ResponseSchema):
    """A page of stored credentials."""

    items = ma.fields.List(ma.fields.Nested(VendorCredentialsSchema), required=True, data_key="vendorCredentials")
    next_page_token = ma.fields.String(data_key="nextPageToken", metadata={"description": "Absent on the last page."})
