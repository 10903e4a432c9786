"""GET /quota: what is known of the quotas of a caller's vendors."""

import marshmallow as ma

from app.api.schemas.fields import EpochTime, ResponseSchema, VendorErrors, VendorName
from app.api.schemas.lists import ErrorDetails
from vendors.kit.limits import LimitSource

ALL_PROCESSES, THIS_PROCESS = "all processes", "this process"
SOURCES = [*map(str, LimitSource)]


class QuotaQuery(ma.Schema):
    """Which quotas."""

    vendor = VendorName(metadata={"description": "Only this vendor."})


class QuotaCredentialsSchema(ResponseSchema):
    """Stored credentials, as in /vendor-credentials."""

    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)


class QuotaSchema(ResponseSchema):
    """The quota that calls with one credential use; null is unknown."""

    vendor = ma.fields.String(required=True)
    credentials = ma.fields.Nested(
        QuotaCredentialsSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The stored credentials; null for those in the request's headers."},
    )
    scope = ma.fields.String(
        required=True,
        metadata={
            "description": "Who shares the quota: calls with one credential, or with all that have a member in common.",
            "example": "per apiKey",
        },
    )
    limit = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "Calls in any limitSeconds."})
    limitSeconds = ma.fields.Integer(required=True, allow_none=True)
    spent = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "Calls that count now."})
    left = ma.fields.Integer(required=True, allow_none=True)
    resetsAt = EpochTime(
        required=True,
        allow_none=True,
        metadata={"description": "When the first of the calls that count now no longer does."},
    )
    source = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "From where the limit is known: the vendor has published it for all callers, its answers "
            "state it, or it is a bound of this server. Of two, that with fewer calls left is shown.",
            "enum": [*SOURCES, None],
        },
    )
    heldUntil = EpochTime(
        required=True,
        allow_none=True,
        metadata={"description": "Until then no call is made, since the vendor has refused one or asked to wait."},
    )
    heldSource = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Who has named that time: the vendor, or this server where the vendor named none.",
            "enum": [str(LimitSource.VENDOR), str(LimitSource.BOUND), None],
        },
    )


class QuotasSchema(ResponseSchema):
    """The quotas of all vendors that the request addresses."""

    quotas = ma.fields.List(ma.fields.Nested(QuotaSchema), required=True)
    countedBy = ma.fields.String(
        required=True,
        metadata={
            "description": "Whose calls and holds these are: of all processes of this server, or only of the one that "
            "answers.",
            "enum": [ALL_PROCESSES, THIS_PROCESS],
        },
    )
    errors = VendorErrors(required=True)
    error_details = ErrorDetails()
