"""Lists of sites and devices: their filters, and their two representations."""

from typing import Any

import marshmallow as ma
from marshmallow.validate import Range

from app.api import paging
from app.api.schemas.fields import Flag, Prepared, ResponseSchema, Text, VendorErrors, VendorName, WholeNumber


class PageQuery(ma.Schema):
    """Which page."""

    page_size = WholeNumber(
        data_key="pageSize",
        validate=Range(1, paging.MAX_SIZE),
        metadata={"description": f"Default {paging.DEFAULT_SIZE}. Not in lists of version v1, which have no pages."},
    )
    page_token = Text(
        data_key="pageToken",
        metadata={"description": "nextPageToken of the page before, with all other parameters repeated."},
    )


class SiteListQuery(PageQuery):
    """Filters of a list of sites."""

    vendor = VendorName(metadata={"description": "Only this vendor."})
    vendor_id = Text(data_key="vendorID", metadata={"description": "Only what has this id at its vendor."})
    dry_run = Flag(
        data_key="dryRun",
        load_default=False,
        metadata={"description": "Whether to answer what the list would cost at each vendor, without any call."},
    )


class DeviceListQuery(SiteListQuery):
    """Filters of a list of devices."""

    vendor_site_id = Text(
        data_key="vendorSiteID",
        metadata={"description": "Only what belongs to the site with this id at its vendor."},
    )


class CredentialFailure(ResponseSchema):
    """Why one of several stored credentials shows nothing, or not all."""

    id = ma.fields.String(required=True, metadata={"description": "As in /vendor-credentials."})
    name = ma.fields.String(required=True)
    code = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    retryAfter = ma.fields.Integer(metadata={"description": "Seconds."})


class ErrorDetail(ResponseSchema):
    """Why a vendor's part of a list is missing or incomplete."""

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
    credentials = ma.fields.List(
        ma.fields.Nested(CredentialFailure),
        metadata={"description": "The stored credentials that failed, the worst first; at most 20."},
    )
    credentialsFailed = ma.fields.Integer(metadata={"description": "How many stored credentials failed, in all."})


class ErrorDetails(ma.fields.Dict):
    """`errorDetails`: an object for each vendor that failed."""

    def __init__(self) -> None:
        super().__init__(ma.fields.String(), ma.fields.Nested(ErrorDetail), data_key="errorDetails")


class Summary(ResponseSchema):
    """An item of a list: its id, with which its details are read."""

    id = ma.fields.String(required=True, metadata={"example": "solr-4a754i27ee1cb550"})


def url_list(name: str, member: str) -> type[ResponseSchema]:
    """The schema of a list in version v1: URLs."""
    url = ma.fields.Url(metadata={"example": f"https://derapi.example.org/{member}/solr-4a754i27ee1cb550"})
    members = {"urls": Prepared(url, data_key=member, required=True), "errors": VendorErrors(required=True)}
    return type(f"{name}Urls", (ResponseSchema,), {"__doc__": "The list in version v1.", **members})


def summary_list(name: str, member: str) -> type[ResponseSchema]:
    """The schema of a page of a list in version v2024-09-01: objects with an id."""
    members: dict[str, Any] = {
        "summaries": Prepared(ma.fields.Nested(Summary), data_key=member, required=True),
        "errors": VendorErrors(required=True),
        "error_details": ErrorDetails(),
        "next_page_token": ma.fields.String(
            data_key="nextPageToken", metadata={"description": "Absent on the last page."}
        ),
    }
    members["__doc__"] = "A page of the list in version v2024-09-01."
    return type(f"{name}Summaries", (ResponseSchema,), members)
