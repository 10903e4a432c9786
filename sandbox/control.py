"""The endpoints that control the sandbox: its index, clock, faults, quotas, options, tokens and counts of calls and
writes."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, request

from sandbox import faults, quotas
from sandbox.dialect import Dialect
from sandbox.fields import BadField, an_object, instant, whole
from sandbox.replies import reply
from sandbox.tokens import Tokens
from sandbox.world import World

NOT_STORED = {"Cache-Control": "no-store"}


def routes(world: World, dialects: Mapping[str, Dialect]) -> Blueprint:
    """`GET /`, `PUT /clock`, `PUT /faults|limits|options/<vendor>`, `GET`, `PUT` and `DELETE /tokens/<vendor>`, `GET`
    and `DELETE /calls|writes/<vendor>`."""
    blueprint = Blueprint("control", __name__)
    control = Control(world, dialects)
    blueprint.get("/")(control.index)
    blueprint.put("/clock")(control.set_clock)
    blueprint.put("/faults/<vendor>")(control.set_fault)
    blueprint.put("/limits/<vendor>")(control.set_limits)
    blueprint.put("/options/<vendor>")(control.set_options)
    blueprint.get("/tokens/<vendor>")(control.show_tokens)
    blueprint.put("/tokens/<vendor>")(control.set_lifetime)
    blueprint.delete("/tokens/<vendor>")(control.forget_tokens)
    blueprint.get("/calls/<vendor>")(control.calls)
    blueprint.delete("/calls/<vendor>")(control.forget_calls)
    blueprint.get("/writes/<vendor>")(control.writes)
    blueprint.delete("/writes/<vendor>")(control.forget_writes)
    blueprint.app_errorhandler(BadField)(_bad_field)
    return blueprint


class Control:
    """The endpoints of one sandbox."""

    def __init__(self, world: World, dialects: Mapping[str, Dialect]) -> None:
        self._world = world
        self._dialects = dialects

    def index(self) -> Response:
        """Every vendor's address and working headers, with a fresh token each time."""
        entries = {name: _entry(dialect) for name, dialect in self._dialects.items()}
        return reply({"vendors": entries}, headers=NOT_STORED)

    def set_clock(self) -> Response:
        """Sets the time of the fleet's data, or lets it run again."""
        members = an_object(_body(), {"now"})
        if "now" not in members:
            raise BadField("now", "missing; an ISO 8601 time or null is expected")
        self._world.clock.set(None if members["now"] is None else instant("now", members["now"]))
        return reply(members)

    def set_fault(self, vendor: str) -> Response:
        """Sets the vendor's fault; `{}` clears it."""
        dialect, fault = self._known(vendor), faults.parse(_body())
        if fault and fault.data and fault.data not in dialect.data_faults:
            raise BadField("data", f"one of {', '.join(dialect.data_faults)} is expected")
        self._world.faults.set(dialect.vendor, fault)
        return reply(_body())

    def set_limits(self, vendor: str) -> Response:
        """Sets the vendor's quotas; null lifts them."""
        self._world.quotas.set(self._known(vendor).vendor, quotas.parse(_body()))
        return reply(_body())

    def set_options(self, vendor: str) -> Response:
        """Sets the vendor's options; those that are not named go back to their default."""
        dialect = self._known(vendor)
        options = an_object(_body(), {*dialect.options, *dialect.choices})
        dialect.set_options(options)
        return reply(options)

    def show_tokens(self, vendor: str) -> Response:
        """The number of refreshes, and of refresh tokens that were refused."""
        tokens = self._tokens(vendor)
        counts = {"refreshes": tokens.refreshes, "refused_refreshes": tokens.refused_refreshes}
        return reply(counts, headers=NOT_STORED)

    def set_lifetime(self, vendor: str) -> Response:
        """Sets the lifetime of the access tokens to come, `{"seconds": n}`; `{}` sets the vendor's."""
        tokens = self._tokens(vendor)
        members = an_object(_body(), {"seconds"})
        tokens.set_lifetime(whole(1, 10**6)("seconds", members.get("seconds", tokens.usual_lifetime)))
        return reply(members)

    def forget_tokens(self, vendor: str) -> Response:
        """Makes all access tokens invalid."""
        self._tokens(vendor).forget()
        return Response(status=204)

    def calls(self, vendor: str) -> Response:
        """The number of calls of each path."""
        return reply(self._world.calls.of(self._known(vendor).vendor), headers=NOT_STORED)

    def forget_calls(self, vendor: str) -> Response:
        """Starts counting at zero."""
        self._world.calls.forget(self._known(vendor).vendor)
        return Response(status=204)

    def writes(self, vendor: str) -> Response:
        """The number of writes of each site, by the vendor's id; refused ones count too."""
        return reply(self._world.writes.of(self._known(vendor).vendor), headers=NOT_STORED)

    def forget_writes(self, vendor: str) -> Response:
        """Starts counting writes at zero."""
        self._world.writes.forget(self._known(vendor).vendor)
        return Response(status=204)

    def _tokens(self, vendor: str) -> Tokens:
        tokens = self._known(vendor).tokens
        return tokens or abort(404, f"{vendor} has no token endpoint that can be controlled")

    def _known(self, vendor: str) -> Dialect:
        if vendor not in self._dialects:
            abort(404, f"{vendor} is not played here; {', '.join(self._dialects)} are")
        return self._dialects[vendor]


def _bad_field(error: BadField) -> Response:
    return reply({"error": str(error), "field": error.field}, 400)


def _entry(dialect: Dialect) -> dict[str, Any]:
    url = f"{request.host_url}{dialect.vendor}"
    return {
        "url": url,
        "headers": dialect.headers(),
        "credentials": list(dialect.credentials()),
        **dialect.about(url),
    }


def _body() -> Any:
    """The JSON body. None for an empty one too: some clients send nothing for null."""
    body = request.get_json(force=True, silent=True)
    if body is None and request.get_data().strip() not in (b"", b"null"):
        raise BadField("body", "JSON is expected")
    return body
