"""Grants of owners: queries and responses."""

import marshmallow as ma

from app.api.schemas.fields import ResponseSchema, VendorName
from app.api.schemas.lists import PageQuery
from app.credentials.status import Status

STATUS = {"enum": [status.value for status in Status]}
ID = {"example": "grnt-4a754i27ee1cb550"}


class GrantListQuery(PageQuery):
    """Filters of the list; both compare exactly."""

    vendor = VendorName(metadata={"description": "Only of this vendor."})
    status = ma.fields.Enum(Status, by_value=True, metadata={"description": "Only with this status."})


class GrantSchema(ResponseSchema):
    """What an owner has granted; no secrets."""

    id = ma.fields.String(required=True, metadata=ID)
    name = ma.fields.String(required=True, metadata={"description": "As errors show it."})
    vendor = ma.fields.String(required=True)
    type = ma.fields.String(required=True, metadata={"description": "Of the credentials that it was given to."})
    status = ma.fields.String(
        required=True, metadata={**STATUS, "description": "Only an `active` grant opens its vendor."}
    )
    credentialsID = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The stored credentials of the application; null if they came with the request."},
    )
    region = ma.fields.String(required=True, allow_none=True, metadata={"description": "Of the owner's account."})
    consentedAt = ma.fields.AwareDateTime(required=True, allow_none=True)
    renewBefore = ma.fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When the grant ends unless it is used or renewed; null if the vendor does not say."},
    )
    consentLink = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "With status `needs_consent`, the operation that makes a link for its owner."},
    )


class GrantsPage(ResponseSchema):
    """A page of grants."""

    items = ma.fields.List(ma.fields.Nested(GrantSchema), required=True, data_key="grants")
    next_page_token = ma.fields.String(data_key="nextPageToken", metadata={"description": "Absent on the last page."})


class DeletedGrantSchema(ResponseSchema):
    """The end of a grant."""

    id = ma.fields.String(required=True, metadata=ID)
    vendorRevocation = ma.fields.String(
        required=True,
        metadata={
            "enum": ["done", "failed", "not_offered"],
            "description": "Whether the vendor has ended it too. If not, its owner can do so at the vendor.",
        },
    )


class ConsentLinkSchema(ResponseSchema):
    """A link with which the owner gives consent again."""

    url = ma.fields.String(required=True, metadata={"format": "uri", "description": "For one use; shown only here."})
    expiresAt = ma.fields.AwareDateTime(required=True)
