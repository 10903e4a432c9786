"""GET /sites, /sites/{id} and their intervals."""

from typing import Any

from flask import Response

from app.api import api_version, details, intervals, lists
from app.api.schemas.details import SiteSchema
from app.api.schemas.intervals import BatterySeries, SolarSeries, WindowQuery
from app.api.schemas.lists import SiteListQuery
from app.auth.scopes import Scope, needs
from app.web.strict_api import Blueprint, ViewResult
from vendors.kit import Site

PATH = "/sites"
KIND = lists.Kind(Site, PATH, "Site", "sites")

blueprint = Blueprint("Sites", __name__, description="Sites of all vendors.")


@blueprint.get(PATH, parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="listSites")
@blueprint.arguments(SiteListQuery(), location="query")
@blueprint.response(200, KIND.schema)
@needs(Scope.READ)
def list_sites(query: dict[str, Any]) -> Response:
    """Lists the sites of all vendors whose credentials come with the request."""
    return lists.read(KIND, query)


@blueprint.get(PATH + "/<id>", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getSite")
@blueprint.response(200, SiteSchema)
@needs(Scope.READ)
def get_site(id: str) -> ViewResult:
    """Reads one site from its vendor."""
    return details.read_site(id)


@blueprint.get(PATH + "/<id>/solar-intervals", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getSiteSolarInverterIntervals")
@blueprint.arguments(WindowQuery(), location="query")
@blueprint.response(200, SolarSeries)
@needs(Scope.READ)
def get_site_solar_intervals(query: dict[str, Any], id: str) -> ViewResult:
    """Reads what all solar inverters of a site produced, in intervals."""
    return intervals.read(Site, "site_solar_intervals", id, query)


@blueprint.get(PATH + "/<id>/battery-intervals", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getSiteBatteryIntervals")
@blueprint.arguments(WindowQuery(), location="query")
@blueprint.response(200, BatterySeries)
@needs(Scope.READ)
def get_site_battery_intervals(query: dict[str, Any], id: str) -> ViewResult:
    """Reads what flowed into and out of all batteries of a site, in intervals."""
    return intervals.read(Site, "site_battery_intervals", id, query)
