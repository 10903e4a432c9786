"""The lists of sites, solar inverters and batteries, in both versions."""

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from flask import Response, current_app, g, jsonify

from app.api import api_version, context, paging
from app.api.schemas.lists import summary_list, url_list
from app.fleet import vendor_problems
from app.fleet.inventory import Filters, Listing
from app.web.guards import base_url
from app.web.problems import invalid
from vendors.kit.records import Record


class Kind:
    """A kind of thing, and how its lists are written. `member`: the list's name in v2024-09-01."""

    def __init__(self, record: type[Record], path: str, name: str, member: str) -> None:
        self.record, self.path = record, path
        self.urls: ma.Schema = url_list(name, path.removeprefix("/"))()
        self.summaries: ma.Schema = summary_list(name, member)()

    @property
    def schema(self) -> dict[str, Any]:
        """For the documentation. Not oneOf: an empty list of batteries fits both."""
        return {"anyOf": [self.urls, self.summaries]}


def answer(kind: Kind, query: dict[str, Any]) -> Response:
    """The list that the request asks for."""
    version = api_version.requested()
    filters = Filters(query.get("vendor"), query.get("vendor_site_id"), query.get("vendor_id"))
    context.demand_known(filters.vendor)
    if version == api_version.V1:
        _refuse_pages(query)
    inventory, deadline = context.the_inventory(), context.deadline()
    listing = inventory.listing(kind.record, context.vendors(), filters, deadline, context.mode())
    found = jsonify(_urls(kind, listing) if version == api_version.V1 else _page(kind, listing, filters, query))
    found.headers["Age"] = str(round(listing.age))
    return found


def _refuse_pages(query: dict[str, Any]) -> None:
    for name, sent in (("pageSize", "page_size"), ("pageToken", "page_token")):
        if sent in query:
            raise invalid(f"{name}: Version v1 has no pages; send {api_version.HEADER}: {api_version.V2024_09_01}.")


def _urls(kind: Kind, listing: Listing) -> Any:
    base = f"{base_url()}{kind.path}/"
    return kind.urls.dump({"urls": [base + id for id in listing.ids], "errors": _errors(listing)})


def _errors(listing: Listing) -> dict[str, str]:
    return {vendor: outcome.error for vendor, outcome in listing.failures.items()}


def _page(kind: Kind, listing: Listing, filters: Filters, query: dict[str, Any]) -> Any:
    pages: paging.Pages = current_app.extensions["pages"]
    given = [f"{name}={value}" for name, value in asdict(filters).items() if value is not None]
    size = query.get("page_size", paging.DEFAULT_SIZE)
    ids, next_page_token = pages.cut(listing.ids, (g.client.id, kind.path, *given), size, query.get("page_token"))
    page = {"summaries": [{"id": id} for id in ids], "errors": _errors(listing)}
    if next_page_token:
        page["next_page_token"] = next_page_token
    if listing.failures:
        page["error_details"] = {
            vendor: vendor_problems.describe(outcome.failure)
            for vendor, outcome in listing.failures.items()
            if outcome.failure
        }
    return kind.summaries.dump(page)
