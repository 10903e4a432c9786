"""The lists of sites, solar inverters and batteries, in both versions."""

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from flask import Response, jsonify

from app.api import api_version, context, dry_run, paging
from app.api.schemas.lists import summary_list, url_list
from app.api.services import services
from app.auth import bearer
from app.fleet.inventory import Listing
from app.fleet.list_rows import Filters
from app.web.guards import base_url
from app.web.problems import invalid
from vendors.kit.records import Record


class Kind:
    """A kind of record and the schemas of its lists. `member`: the list's name in v2024-09-01."""

    def __init__(self, record: type[Record], path: str, name: str, member: str) -> None:
        self.record, self.path = record, path
        self.urls: ma.Schema = url_list(name, path.removeprefix("/"))()
        self.summaries: ma.Schema = summary_list(name, member)()

    @property
    def schema(self) -> dict[str, Any]:
        """For the documentation. Not oneOf: an empty list of batteries fits both."""
        return {"anyOf": [self.urls, self.summaries, dry_run.SCHEMA]}


def read(kind: Kind, query: dict[str, Any]) -> Response:
    """The list of a kind, in the requested version."""
    version = api_version.requested()
    filters = Filters(query.get("vendor"), query.get("vendor_site_id"), query.get("vendor_id"))
    context.refuse_unknown_vendor(filters.vendor)
    if version == api_version.V1:
        _refuse_pages(query)
    request_context = context.of_request()
    if query["dry_run"]:
        if "page_token" in query:
            services().pages.read(query["page_token"], _bound_to(kind, filters))
        return dry_run.answer(kind.record, filters, request_context)
    listing = services().inventory.listing(
        kind.record, request_context.access, filters, request_context.deadline, request_context.mode
    )
    response = jsonify(_urls(kind, listing) if version == api_version.V1 else _page(kind, listing, filters, query))
    response.headers["Age"] = str(round(listing.age))
    return response


def _refuse_pages(query: dict[str, Any]) -> None:
    for name, member in (("pageSize", "page_size"), ("pageToken", "page_token")):
        if member in query:
            raise invalid(f"{name}: Version v1 has no pages; send {api_version.HEADER}: {api_version.V2024_09_01}.")


def _urls(kind: Kind, listing: Listing) -> Any:
    base = f"{base_url(services().settings.public_url)}{kind.path}/"
    return kind.urls.dump({"urls": [base + id for id in listing.ids], "errors": _errors(listing)})


def _errors(listing: Listing) -> dict[str, str]:
    return {vendor: failure.text for vendor, failure in listing.failures.items()}


def _page(kind: Kind, listing: Listing, filters: Filters, query: dict[str, Any]) -> Any:
    ids, next_page_token = services().pages.cut(
        listing.ids,
        _bound_to(kind, filters),
        query.get("page_size", paging.DEFAULT_SIZE),
        query.get("page_token"),
    )
    page = {"summaries": [{"id": id} for id in ids], "errors": _errors(listing)}
    if next_page_token:
        page["next_page_token"] = next_page_token
    if listing.failures:
        page["error_details"] = {vendor: failure.details for vendor, failure in listing.failures.items()}
    return kind.summaries.dump(page)


def _bound_to(kind: Kind, filters: Filters) -> tuple[str, ...]:
    """The query to which page tokens belong."""
    used_filters = [f"{name}={value}" for name, value in asdict(filters).items() if value is not None]
    return (bearer.caller().id, kind.path, *used_filters)
