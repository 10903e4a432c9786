"""Requests and responses of the token endpoint, as RFC 6749 names their members."""

import marshmallow as ma
from marshmallow.validate import Equal

from app.api.schemas.fields import ResponseSchema


class TokenRequest(ma.Schema):
    """The form fields of a token request. Further ones are ignored."""

    class Meta:
        unknown = ma.EXCLUDE

    grant_type = ma.fields.String(required=True, validate=Equal("client_credentials"))
    client_id = ma.fields.String()
    client_secret = ma.fields.String()
    scope = ma.fields.String(
        metadata={"description": "Scopes with blanks between them; without it, all that the client has."}
    )


class AccessToken(ResponseSchema):
    """An access token."""

    access_token = ma.fields.String(required=True)
    token_type = ma.fields.String(required=True, validate=Equal("Bearer"))
    expires_in = ma.fields.Integer(required=True, metadata={"description": "Seconds."})
    expires_at = ma.fields.Integer(required=True, metadata={"description": "Epoch seconds."})
    scope = ma.fields.String(required=True, metadata={"description": "The token's scopes, with blanks between them."})


class TokenError(ResponseSchema):
    """An error of the token endpoint (RFC 6749, section 5.2)."""

    error = ma.fields.String(required=True)
    error_description = ma.fields.String(required=True)
