"""The public JSON: every name of a member stands here and nowhere else."""

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, Range

from app import paging


def printable(value: str) -> None:
    """Not as a pattern: that would stand in the document, where Python's dialect is not understood."""
    if not value.isprintable():
        raise ma.ValidationError("May not hold control characters.")


class WholeNumber(ma.fields.Integer):
    """Digits only; Python's int takes blanks and underscores as well."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


ID: list[Any] = [Length(1, 200), printable]


class Prepared(ma.fields.List[Any]):
    """A list whose rows are JSON already: documented like a list, passed on as it is.

    Ten thousand rows through a schema of their own would cost more than all the rest of the request.
    """

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class Answer(ma.Schema):
    """An answer of ours. Clients must not mind members that later versions add."""

    class Meta:
        unknown = ma.INCLUDE


class ListQuery(ma.Schema):
    """What a list of devices is narrowed to, and which page of it."""

    vendor = ma.fields.String(metadata={"description": "Only this vendor."})
    vendor_id = ma.fields.String(
        data_key="vendorID",
        validate=ID,
        metadata={"description": "Only what has this id at its vendor."},
    )
    vendor_site_id = ma.fields.String(
        data_key="vendorSiteID",
        validate=ID,
        metadata={"description": "Only what belongs to the site with this id at its vendor."},
    )
    page_size = WholeNumber(
        data_key="pageSize",
        validate=Range(1, paging.MAX_SIZE),
        metadata={"description": f"Default {paging.DEFAULT_SIZE}. Not in version v1, which has no pages."},
    )
    page_token = ma.fields.String(
        data_key="pageToken",
        validate=ID,
        metadata={"description": "nextPageToken of the page before, with all other parameters repeated."},
    )


class ErrorDetail(Answer):
    """Why a vendor's part is missing, or not complete."""

    code = ma.fields.String(required=True, metadata={"description": "A fixed word for programs."})
    status = ma.fields.Integer(
        required=True, metadata={"description": "The HTTP status that this has on a single resource."}
    )
    detail = ma.fields.String(required=True, metadata={"description": "One sentence for people."})
    fault = ma.fields.String(
        required=True, metadata={"description": "Whose it is.", "enum": ["caller", "vendor", "server"]}
    )
    action = ma.fields.String(required=True, metadata={"description": "What to do next."})
    url = ma.fields.String(metadata={"description": "What was called, without its query."})
    retryAfter = ma.fields.Integer(metadata={"description": "Seconds."})


def errors_field() -> ma.fields.Field[Any]:
    """`errors`, which every list has, after its rows."""
    return ma.fields.Dict(
        ma.fields.String(),
        ma.fields.String(metadata={"example": "Unauthorized: https://www.soliscloud.com:13333/v1/api/inverterList"}),
        required=True,
        metadata={"description": "Vendor to what went wrong there. Empty when all is well."},
    )


class SolarInverterUrls(Answer):
    """The list in version v1."""

    urls = Prepared(
        ma.fields.Url(metadata={"example": "https://derapi.example.org/solar-inverters/solr-4a754i27ee1cb550"}),
        data_key="solar-inverters",
        required=True,
    )
    errors = errors_field()


class Summary(Answer):
    """An item of a list: read the rest with its id."""

    id = ma.fields.String(required=True, metadata={"example": "solr-4a754i27ee1cb550"})


class SolarInverterSummaries(Answer):
    """A page of the list in version v2024-09-01."""

    summaries = Prepared(ma.fields.Nested(Summary), data_key="solarInverters", required=True)
    errors = errors_field()
    error_details = ma.fields.Dict(ma.fields.String(), ma.fields.Nested(ErrorDetail), data_key="errorDetails")
    next_page_token = ma.fields.String(data_key="nextPageToken", metadata={"description": "Absent on the last page."})


class SolarInverterSchema(Answer):
    """One solar inverter. Optional members that the vendor lacks are left out."""

    id = ma.fields.String(required=True)
    vendor = ma.fields.String(required=True)
    vendor_id = ma.fields.String(required=True, data_key="vendorID", metadata={"description": "The vendor's own id."})
    model = ma.fields.String(required=True, metadata={"description": "Empty when the vendor tells none."})
    serial_number = ma.fields.String(
        required=True, data_key="serialNumber", metadata={"description": "Empty when the vendor tells none."}
    )
    site_id = ma.fields.String(required=True, data_key="siteID")
    name = ma.fields.String()
    reported_at = ma.fields.AwareDateTime(
        required=True, data_key="reportedAt", metadata={"description": "When this answer was made."}
    )
