"""Responses to lists with dryRun=true."""

from typing import Any

import marshmallow as ma
from marshmallow.validate import OneOf

from app.api.schemas.fields import EpochTime, ResponseSchema, VendorErrors
from app.api.schemas.lists import ErrorDetails
from app.api.schemas.quota import THIS_PROCESS


class ListCostSchema(ResponseSchema):
    """The calls that a list would make at one vendor: exactly `calls`, or `atLeast` so many."""

    calls = ma.fields.Integer(
        metadata={
            "description": "The calls, if nothing has changed at the vendor; retries, and renewals of access tokens, "
            "come on top."
        }
    )
    atLeast = ma.fields.Integer(
        metadata={
            "description": "In place of `calls`: the calls that are certain. Further calls depend on replies that this "
            "process has not kept."
        }
    )
    formula = ma.fields.String(
        metadata={
            "description": "With `atLeast`: what the whole list takes, in words.",
            "example": "1 for every 1,000 sites, and 1 for each site",
        }
    )
    heldUntil = EpochTime(
        metadata={"description": "Until then further calls would be refused: the quota is held, or would be spent."}
    )


class DryRunSchema(ResponseSchema):
    """Cost of a list, in vendor calls, in place of the list (dryRun=true)."""

    dryRun = ma.fields.Boolean(required=True, validate=OneOf([True]))
    vendors: Any = ma.fields.Dict(
        ma.fields.String(),
        ma.fields.Nested(ListCostSchema),
        required=True,
        metadata={"description": "The cost at each vendor that would be asked."},
    )
    countedBy = ma.fields.String(
        required=True,
        metadata={
            "description": "Whose kept replies the calls are counted from: those of the process that answers. Another "
            "process of this server may have kept others, and make other calls.",
            "enum": [THIS_PROCESS],
        },
    )
    errors = VendorErrors(required=True)
    error_details = ErrorDetails()
