"""Join: bodies of requests, queries of an owner's browser, and responses."""

from typing import Any

import marshmallow as ma
from marshmallow.validate import ContainsNoneOf, Length

from app.api.schemas.body_fields import RequestBody
from app.api.schemas.fields import ResponseSchema, Text
from app.join.config import MAX_VENDORS
from app.join.flows import MAX_URI
from app.web.pages import languages

MAX_STATE = 1000


class Truth(ma.fields.Boolean):
    """true or false; marshmallow's field also takes numbers and texts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class VendorOfJoin(ma.fields.Dict):
    """A vendor whose owners are asked; app.api.openapi lists what each vendor needs."""

    error_messages = {"invalid": "Must be a JSON object.", "null": "Must be a JSON object."}

    def __init__(self, *, is_request: bool = False) -> None:
        super().__init__()
        self.is_request = is_request


def vendors_field() -> ma.fields.List[Any]:
    """The vendors of a session or flow."""
    return ma.fields.List(
        VendorOfJoin(is_request=True),
        required=True,
        validate=Length(1, MAX_VENDORS),
        metadata={"description": "The vendors that the owner may choose from, each at most once."},
    )


class CreateJoinSessionRequest(RequestBody):
    """A session to be started."""

    store_credentials = Truth(
        data_key="storeCredentials",
        required=True,
        metadata={"description": "Whether what the owner grants is kept, and used in later requests of the client."},
    )
    vendors = vendors_field()


class CreateJoinSessionResponse(ResponseSchema):
    """A session, which ends after ten minutes."""

    session_id = ma.fields.String(data_key="sessionID", required=True)
    session_token = ma.fields.String(
        data_key="sessionToken",
        required=True,
        metadata={"description": "For the page in the browser: opens the two GETs of this session, and nothing else."},
    )


class JoinVendor(ResponseSchema):
    """A vendor of a session, as a page shows it."""

    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    logo = ma.fields.String(data_key="base64Logo", required=True, metadata={"description": "A data URL."})
    endpoint = ma.fields.String(
        data_key="oAuthEndpoint",
        metadata={"description": "To be opened in a window. Absent if the owner types keys in."},
    )


class GetJoinSessionTokenResponse(ResponseSchema):
    """What the owner has granted."""

    vendor = ma.fields.String(required=True)
    accessToken = ma.fields.String(
        required=True, metadata={"description": "`stored` if the server keeps what was granted."}
    )
    access_token = ma.fields.String(required=True, metadata={"description": "The same as accessToken."})
    refreshToken = ma.fields.String(required=True)
    expiresIn = ma.fields.String(required=True, metadata={"description": "Seconds; 0 if the server keeps it."})
    siteID = ma.fields.String(metadata={"description": "The one site that the vendor lets the token read, if so."})
    grantID = ma.fields.String(
        metadata={"description": "As in /grants, if the server keeps what was granted; absent with consent by e-mail."}
    )


class CreateJoinFlowRequest(RequestBody):
    """A flow to be made."""

    vendors = vendors_field()
    redirect_uri = ma.fields.String(
        data_key="redirectURI",
        required=True,
        validate=Length(1, MAX_URI),
        metadata={"format": "uri", "description": "https (http on loopback only), without user and fragment."},
    )


class JoinFlowSchema(ResponseSchema):
    """A flow. It has no secrets."""

    id = ma.fields.String(required=True, metadata={"example": "flow-4a754i27ee1cb550"})
    vendors = ma.fields.List(
        VendorOfJoin(), required=True, metadata={"description": "Without the secrets that came inline."}
    )
    redirect_uri = ma.fields.String(data_key="redirectURI", required=True)
    link = ma.fields.String(required=True, metadata={"description": "To be opened by owners."})
    created_at = ma.fields.String(data_key="createdAt", required=True, metadata={"format": "date-time"})


class JoinFlowsPage(ResponseSchema):
    """A page of flows."""

    items = ma.fields.List(ma.fields.Nested(JoinFlowSchema), required=True, data_key="joinFlows")
    next_page_token = ma.fields.String(data_key="nextPageToken", metadata={"description": "Absent on the last page."})


class AuthorizeQuery(ma.Schema):
    """Which vendor the owner is asked at."""

    vendor = Text(metadata={"description": "Without it, the owner chooses."})
    state = ma.fields.String(
        # Postgres refuses texts with NUL.
        validate=(Length(max=MAX_STATE), ContainsNoneOf("\0")),
        metadata={"description": "Handed back to the redirect URI as it is."},
    )
    lang = Text(metadata={"enum": [*languages.CODES], "description": "Language of the pages."})
