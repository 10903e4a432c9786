"""Checks every call of a vendor's API before it is answered: count, fault, credential, quota, in this order."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from sandbox import effects
from sandbox.dialect import Dialect
from sandbox.replies import Refused, reply
from sandbox.world import World


def install(app: Flask, world: World, dialects: Mapping[str, Dialect]) -> None:
    """Puts the guard before all routes, and gives every error the form of the vendor that it occurred at."""

    @app.before_request
    def admit() -> Response | None:
        dialect, path = _addressed(dialects)
        if dialect is None or path.startswith(dialect.outside):
            return None
        world.calls.count(dialect.vendor, path)
        fault = world.faults.take(dialect.vendor, path)
        g.change = dialect.data_faults.get(fault.data) if fault else None
        answer = effects.answer(fault, world.stopped, dialect.error) if fault else None
        return answer or _refusal(dialect)

    @app.after_request
    def finish(response: Response) -> Response:
        dialect, path = _addressed(dialects)
        if g.get("change") and response.is_json and response.status_code == HTTPStatus.OK:
            data = orjson.loads(response.get_data())
            g.change(path, data)
            response.set_data(orjson.dumps(data))
        return dialect.finish(response) if dialect else response

    @app.errorhandler(Refused)
    def refused(exception: Refused) -> Response:
        return exception.response

    @app.errorhandler(HTTPException)
    def failed(exception: HTTPException) -> Response:
        status, detail = exception.code or 500, exception.description or ""
        dialect, _ = _addressed(dialects)
        return dialect.error(status, detail) if dialect else reply({"error": detail}, status)


def _addressed(dialects: Mapping[str, Dialect]) -> tuple[Dialect | None, str]:
    """The dialect that the request's path begins with, and the path below its base."""
    vendor, slash, below = request.path[1:].partition("/")
    return dialects.get(vendor), slash + below


def _refusal(dialect: Dialect) -> Response | None:
    credential = dialect.credential()
    world = dialect.world
    spent = world.quotas.take(dialect.vendor, credential, world.real_time() if dialect.whole_periods else 0.0)
    return dialect.too_many(spent) if spent else None
