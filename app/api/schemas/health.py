"""State of the process, for load balancers and operators."""

import marshmallow as ma
from marshmallow.validate import Equal, OneOf

from app.api.schemas.fields import ResponseSchema

AVAILABILITY = OneOf(["ok", "unavailable"])


class HealthSchema(ResponseSchema):
    """That this process is alive."""

    status = ma.fields.String(required=True, validate=Equal("ok"))


class ReadySchema(ResponseSchema):
    """That this process should get requests, and which parts are missing."""

    status = ma.fields.String(required=True, validate=OneOf(["ok", "degraded"]))
    database = ma.fields.String(required=True, validate=AVAILABILITY)
    redis = ma.fields.String(validate=AVAILABILITY, metadata={"description": "Absent without REDIS_URL."})
