"""Lists with dryRun=true: what the list would cost at each vendor, in place of the list."""

from datetime import UTC, datetime
from math import ceil
from typing import Any

from flask import Response, jsonify

from app.api.context import RequestContext
from app.api.services import services
from app.fleet.list_cost import Cost, list_cost
from app.fleet.list_rows import Filters
from vendors.kit.records import Record


def answer(kind: type[Record], filters: Filters, context: RequestContext) -> Response:
    """The cost, the same in every version."""
    cost = list_cost(services().clouds, kind, context.access, filters, context.deadline, context.mode)
    body: dict[str, Any] = {
        "dryRun": True,
        "vendors": {vendor: _members(each) for vendor, each in sorted(cost.vendors.items())},
        "errors": {vendor: failure.text for vendor, failure in cost.failures.items()},
    }
    if cost.failures:
        body["errorDetails"] = {vendor: failure.details for vendor, failure in cost.failures.items()}
    return jsonify(body)


def _members(cost: Cost) -> dict[str, Any]:
    members: dict[str, Any] = {"calls": cost.calls} if cost.is_exact else {"atLeast": cost.calls}
    if not cost.is_exact and cost.formula:
        members["formula"] = cost.formula
    if cost.held_until is not None:
        members["heldUntil"] = utc(cost.held_until)
    return members


def utc(epoch_seconds: float) -> str:
    """A time in UTC. Rounded up, so that a client that comes back then is not too early."""
    return datetime.fromtimestamp(ceil(epoch_seconds), UTC).isoformat().replace("+00:00", "Z")
