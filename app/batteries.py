"""GET /batteries, /batteries/{id} and their intervals."""

from typing import Any

from flask import Response

from app import listing, reads, series, versions
from app.routing import Blueprint
from app.schemas.details import BatterySchema
from app.schemas.lists import DeviceListQuery
from app.schemas.series import BatterySeries, WindowQuery
from vendors.kit import Battery

PATH = "/batteries"
KIND = listing.Kind(Battery, PATH, "Battery", "batteries")

blueprint = Blueprint("Batteries", __name__, description="Batteries of all vendors.")


@blueprint.get(PATH, parameters=[versions.PARAMETER])
@blueprint.doc(operationId="listBatteries")
@blueprint.arguments(DeviceListQuery(), location="query")
@blueprint.response(200, KIND.schema)
def list_batteries(query: dict[str, Any]) -> Response:
    """Lists the batteries of all vendors whose credentials come with the request."""
    return listing.answer(KIND, query)


@blueprint.get(PATH + "/<id>", parameters=[versions.PARAMETER])
@blueprint.doc(operationId="getBattery")
@blueprint.response(200, BatterySchema)
def get_battery(id: str) -> reads.Answer:
    """Reads one battery from its vendor."""
    return reads.answer_device(Battery, id)


@blueprint.get(PATH + "/<id>/intervals", parameters=[versions.PARAMETER])
@blueprint.doc(operationId="getBatteryIntervals")
@blueprint.arguments(WindowQuery(), location="query")
@blueprint.response(200, BatterySeries)
def get_battery_intervals(query: dict[str, Any], id: str) -> series.Answer:
    """Reads what flowed into and out of a battery, in intervals."""
    return series.answer(Battery, "battery_intervals", id, query)
