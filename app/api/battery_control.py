"""/sites/{id}/battery-control: the plan of a site's batteries, and the history of its orders."""

from functools import partial
from typing import Any

from app.api import api_version, context, control_members, idempotency, row_pages
from app.api.schemas.battery_control import ControlHistory, ControlPlan, ControlQuery, ControlStatus, HistoryQuery
from app.api.services import services
from app.auth import bearer
from app.auth.scopes import Scope, needs
from app.control.orders import place_of
from app.control.service import Target
from app.web.strict_api import Blueprint, ViewResult

PATH = "/sites/<id>/battery-control"

blueprint = Blueprint("Battery control", __name__, description="Orders to the batteries of a site.")
idempotency.protect(blueprint, ["PUT"])


@blueprint.put(PATH, parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="putSiteBatteryControl")
@blueprint.arguments(idempotency.IdempotencyHeader(), location="headers")
@blueprint.arguments(ControlQuery(), location="query")
@blueprint.arguments(ControlPlan())
@blueprint.response(200, ControlStatus)
@needs(Scope.CONTROL)
def put_battery_control(headers: Any, query: dict[str, Any], body: dict[str, Any], id: str) -> ViewResult:
    """Replaces the whole list of intervals of a site; an empty list cancels."""
    control, intervals = services().control, body["intervals"]
    control.check(intervals)
    site = control.put(_target(id), intervals, query.get("program"), force=query["force"])
    return control_members.status(id, site)


@blueprint.get(PATH, parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getSiteBatteryControl")
@blueprint.response(200, ControlStatus)
@needs(Scope.READ, Scope.CONTROL)
def get_battery_control(id: str) -> ViewResult:
    """Reads the list of intervals of a site, after a look at its vendor if that could show something new."""
    return control_members.status(id, services().control.get(_target(id)))


@blueprint.get(PATH + "/history", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getSiteBatteryControlHistory")
@blueprint.arguments(HistoryQuery(), location="query")
@blueprint.response(200, ControlHistory)
@needs(Scope.READ, Scope.CONTROL)
def get_battery_control_history(query: dict[str, Any], id: str) -> dict[str, Any]:
    """Reads the orders of a site, the newest first, each with all that was sent and seen."""
    target = _target(id)
    read = partial(services().control.history, target)
    page = row_pages.page(query, read, place_of, control_members.receipt)
    return {"id": id} | page


def _target(id: str) -> Target:
    api_version.requested()
    request_context = context.of_request()
    return services().control.target(bearer.caller().id, id, request_context.access, request_context.deadline)
