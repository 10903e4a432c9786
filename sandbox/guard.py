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
    guard = Guard(world, dialects)
    app.before_request(guard.admit)
    app.after_request(guard.finish)
    app.register_error_handler(Refused, lambda refused: refused.response)
    app.register_error_handler(HTTPException, guard.fail)


class Guard:
    """The hooks around each request."""

    def __init__(self, world: World, dialects: Mapping[str, Dialect]) -> None:
        self._world = world
        self._dialects = dialects

    def admit(self) -> Response | None:
        """The answer to a call that a fault, its credential or a quota ends here; None for all others."""
        dialect, path = self._addressed()
        if dialect is None:
            return None
        is_outside = path.startswith(dialect.outside)
        self._world.calls.count(dialect.vendor, path)
        fault = self._world.faults.take(dialect.vendor, request.method, path, only_named=is_outside)
        g.change = dialect.data_faults.get(fault.data) if fault else None
        g.late_fault = fault if fault and fault.after else None
        answer = effects.answer(fault, self._world.stopped, dialect.error) if fault and not fault.after else None
        return answer or (None if is_outside else self._refusal(dialect))

    def finish(self, response: Response) -> Response:
        """The answer after a fault of its data or in its place, with the headers that the vendor adds to all."""
        dialect, path = self._addressed()
        if g.get("change") and response.is_json and response.status_code == HTTPStatus.OK:
            data = orjson.loads(response.get_data())
            g.change(path, data)
            response.set_data(orjson.dumps(data))
        if dialect and g.get("late_fault"):
            response = effects.answer(g.late_fault, self._world.stopped, dialect.error) or response
        return dialect.finish(response) if dialect else response

    def fail(self, exception: HTTPException) -> Response:
        """An error of Flask's in the form of the vendor."""
        status, detail = exception.code or 500, exception.description or ""
        dialect, _ = self._addressed()
        return dialect.error(status, detail) if dialect else reply({"error": detail}, status)

    def _addressed(self) -> tuple[Dialect | None, str]:
        """The dialect that the request's path begins with, and the path below its base."""
        vendor, slash, below = request.path[1:].partition("/")
        return self._dialects.get(vendor), slash + below

    def _refusal(self, dialect: Dialect) -> Response | None:
        credential = dialect.credential()
        epoch_seconds = self._world.real_time() if dialect.whole_periods else 0.0
        spent = self._world.quotas.take(dialect.vendor, credential, epoch_seconds)
        return dialect.too_many(spent) if spent else None
