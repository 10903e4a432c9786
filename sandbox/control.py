"""The endpoints that steer the sandbox: what it offers, its clock, faults, quotas, options and call counts."""

from typing import Any

from flask import Blueprint, Response, abort, request

from sandbox import faults, quotas
from sandbox.dialect import Dialect
from sandbox.fields import BadField, an_object, flag, instant
from sandbox.replies import reply
from sandbox.world import World

_DONE = {"Cache-Control": "no-store"}


def routes(world: World) -> Blueprint:
    """`GET /`, `PUT /clock`, `PUT /faults|limits|options/<vendor>`, `GET` and `DELETE /calls/<vendor>`."""
    blueprint = Blueprint("control", __name__)

    def known(vendor: str) -> Dialect:
        if vendor not in world.dialects:
            abort(404, f"{vendor} is not played here; {', '.join(world.dialects)} are")
        return world.dialects[vendor]

    @blueprint.get("/")
    def index() -> Response:
        return reply({"vendors": {name: _entry(dialect) for name, dialect in world.dialects.items()}}, headers=_DONE)

    @blueprint.put("/clock")
    def set_clock() -> Response:
        members = an_object(_body(), {"now"})
        if "now" not in members:
            raise BadField("now", "missing; an ISO 8601 time or null is expected")
        world.clock.set(None if members["now"] is None else instant("now", members["now"]))
        return reply(members)

    @blueprint.put("/faults/<vendor>")
    def set_fault(vendor: str) -> Response:
        world.faults.set(known(vendor).vendor, faults.parse(_body()))
        return reply(_body())

    @blueprint.put("/limits/<vendor>")
    def set_limits(vendor: str) -> Response:
        world.quotas.set(known(vendor).vendor, quotas.parse(_body()))
        return reply(_body())

    @blueprint.put("/options/<vendor>")
    def set_options(vendor: str) -> Response:
        dialect = known(vendor)
        wanted = an_object(_body(), set(dialect.options))
        dialect.switched_on = frozenset(name for name, value in wanted.items() if flag(name, value))
        return reply(wanted)

    @blueprint.get("/calls/<vendor>")
    def calls(vendor: str) -> Response:
        return reply(world.calls.of(known(vendor).vendor), headers=_DONE)

    @blueprint.delete("/calls/<vendor>")
    def forget_calls(vendor: str) -> Response:
        world.calls.forget(known(vendor).vendor)
        return Response(status=204)

    @blueprint.app_errorhandler(BadField)
    def bad_field(error: BadField) -> Response:
        return reply({"error": str(error), "field": error.field}, 400)

    return blueprint


def _entry(dialect: Dialect) -> dict[str, Any]:
    url = f"{request.host_url}{dialect.vendor}"
    return {"url": url, "headers": dialect.headers(), **dialect.about(url)}


def _body() -> Any:
    body = request.get_json(force=True, silent=True)
    if body is None and request.get_data().strip() != b"null":
        raise BadField("body", "JSON is expected")
    return body
