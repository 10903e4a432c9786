"""GET /batteries, /batteries/{id} and their intervals."""

from typing import Any

from flask import Response

from app.api import api_version, details, intervals, lists
from app.api.schemas.details import BatterySchema
from app.api.schemas.intervals import BatterySeries, WindowQuery
from app.api.schemas.lists import DeviceListQuery
from app.auth.scopes import Scope, needs
from app.web.strict_api import Blueprint, ViewResult
from vendors.kit import Battery

PATH = "/batteries"
KIND = lists.Kind(Battery, PATH, "Battery", "batteries")

blueprint = Blueprint("Batteries", __name__, description="Batteries of all vendors.")


@blueprint.get(PATH, parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="listBatteries")
@blueprint.arguments(DeviceListQuery(), location="query")
@blueprint.response(200, KIND.schema)
@needs(Scope.READ)
def list_batteries(query: dict[str, Any]) -> Response:
    """Lists the batteries of all vendors whose credentials come with the request."""
    return lists.read(KIND, query)


@blueprint.get(PATH + "/<id>", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getBattery")
@blueprint.response(200, BatterySchema)
@needs(Scope.READ)
def get_battery(id: str) -> ViewResult:
    """Reads one battery from its vendor."""
    return details.read_device(Battery, id)


@blueprint.get(PATH + "/<id>/intervals", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getBatteryIntervals")
@blueprint.arguments(WindowQuery(), location="query")
@blueprint.response(200, BatterySeries)
@needs(Scope.READ)
def get_battery_intervals(query: dict[str, Any], id: str) -> ViewResult:
    """Reads what flowed into and out of a battery, in intervals."""
    return intervals.read(Battery, "battery_intervals", id, query)
