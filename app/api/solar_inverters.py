"""GET /solar-inverters, /solar-inverters/{id} and their intervals."""

from typing import Any

from flask import Response

from app.api import api_version, details, intervals, lists
from app.api.schemas.details import SolarInverterSchema
from app.api.schemas.intervals import SolarSeries, WindowQuery
from app.api.schemas.lists import DeviceListQuery
from app.auth.scopes import Scope, needs
from app.web.strict_api import Blueprint, ViewResult
from vendors.kit import SolarInverter

PATH = "/solar-inverters"
KIND = lists.Kind(SolarInverter, PATH, "SolarInverter", "solarInverters")

blueprint = Blueprint("Solar inverters", __name__, description="Solar inverters of all vendors.")


@blueprint.get(PATH, parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="listSolarInverters")
@blueprint.arguments(DeviceListQuery(), location="query")
@blueprint.response(200, KIND.schema)
@needs(Scope.READ)
def list_solar_inverters(query: dict[str, Any]) -> Response:
    """Lists the solar inverters of all vendors whose credentials come with the request."""
    return lists.read(KIND, query)


@blueprint.get(PATH + "/<id>", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getSolarInverter")
@blueprint.response(200, SolarInverterSchema)
@needs(Scope.READ)
def get_solar_inverter(id: str) -> ViewResult:
    """Reads one solar inverter from its vendor."""
    return details.read_device(SolarInverter, id)


@blueprint.get(PATH + "/<id>/intervals", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getSolarInverterIntervals")
@blueprint.arguments(WindowQuery(), location="query")
@blueprint.response(200, SolarSeries)
@needs(Scope.READ)
def get_solar_inverter_intervals(query: dict[str, Any], id: str) -> ViewResult:
    """Reads what a solar inverter produced, in intervals."""
    return intervals.read(SolarInverter, "solar_intervals", id, query)
