"""GET /solar-inverters, /solar-inverters/{id} and their intervals."""

from typing import Any

from flask import Response

from app import listing, reads, series, versions
from app.routing import Blueprint
from app.schemas.details import SolarInverterSchema
from app.schemas.lists import DeviceListQuery
from app.schemas.series import SolarSeries, WindowQuery
from vendors.kit import SolarInverter

PATH = "/solar-inverters"
KIND = listing.Kind(SolarInverter, PATH, "SolarInverter", "solarInverters")

blueprint = Blueprint("Solar inverters", __name__, description="Solar inverters of all vendors.")


@blueprint.get(PATH, parameters=[versions.PARAMETER])
@blueprint.doc(operationId="listSolarInverters")
@blueprint.arguments(DeviceListQuery(), location="query")
@blueprint.response(200, KIND.schema)
def list_solar_inverters(query: dict[str, Any]) -> Response:
    """Lists the solar inverters of all vendors whose credentials come with the request."""
    return listing.answer(KIND, query)


@blueprint.get(PATH + "/<id>", parameters=[versions.PARAMETER])
@blueprint.doc(operationId="getSolarInverter")
@blueprint.response(200, SolarInverterSchema)
def get_solar_inverter(id: str) -> reads.Answer:
    """Reads one solar inverter from its vendor."""
    return reads.answer_device(SolarInverter, id)


@blueprint.get(PATH + "/<id>/intervals", parameters=[versions.PARAMETER])
@blueprint.doc(operationId="getSolarInverterIntervals")
@blueprint.arguments(WindowQuery(), location="query")
@blueprint.response(200, SolarSeries)
def get_solar_inverter_intervals(query: dict[str, Any], id: str) -> series.Answer:
    """Reads what a solar inverter produced, in intervals."""
    return series.answer(SolarInverter, "solar_intervals", id, query)
