"""Lists with dryRun=true: what the list would cost at each vendor, in place of the list."""

from typing import Any

import marshmallow as ma
from flask import Response, jsonify

from app.api.context import RequestContext
from app.api.schemas.dry_run import DryRunSchema
from app.api.schemas.quota import THIS_PROCESS
from app.api.services import services
from app.fleet.list_cost import Cost, list_cost
from app.fleet.list_rows import Filters
from vendors.kit.records import Record

SCHEMA: ma.Schema = DryRunSchema()


def answer(kind: type[Record], filters: Filters, context: RequestContext) -> Response:
    """The cost, the same in every version."""
    cost = list_cost(services().clouds, kind, context.access, filters, context.deadline, context.mode)
    body: dict[str, Any] = {
        "dryRun": True,
        "countedBy": THIS_PROCESS,
        "vendors": {vendor: _members(each) for vendor, each in sorted(cost.vendors.items())},
        "errors": {vendor: failure.text for vendor, failure in cost.failures.items()},
    }
    if cost.failures:
        body["error_details"] = {vendor: failure.details for vendor, failure in cost.failures.items()}
    return jsonify(SCHEMA.dump(body))


def _members(cost: Cost) -> dict[str, Any]:
    members: dict[str, Any] = {"calls": cost.calls} if cost.is_exact else {"atLeast": cost.calls}
    if not cost.is_exact and cost.formula:
        members["formula"] = cost.formula
    if cost.held_until is not None:
        members["heldUntil"] = cost.held_until
    return members
