"""State of the process, for load balancers and operators."""

import marshmallow as ma
from marshmallow.validate import OneOf

from app.api.schemas.fields import ResponseSchema

AVAILABILITY = OneOf(["ok", "unavailable"])


class HealthSchema(ResponseSchema):
    """Whether this process serves, and with what."""

    status = ma.fields.String(required=True, validate=OneOf(["ok", "degraded"]))
    version = ma.fields.String(required=True, metadata={"description": "Of this server."})
    database = ma.fields.String(required=True, validate=AVAILABILITY)
    redis = ma.fields.String(validate=AVAILABILITY, metadata={"description": "Absent without REDIS_URL."})
