"""One line for each request, and the id that joins all lines of a request."""

import re
import time
import uuid
from collections.abc import Mapping
from contextvars import ContextVar

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from app.web.log import redaction

# An id from outside is taken over if it has this form, else replaced.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
EVENT = "request"
MAX_PATH = 200  # characters

logger = structlog.stdlib.get_logger("app.request")

# Shared with the threads that work for the request in a copy of its context.
_failed: ContextVar[dict[str, str] | None] = ContextVar("failed", default=None)


def note_failures(codes: Mapping[str, str]) -> None:
    """Adds vendors that failed, each with its error code, to the log line of the current request."""
    failed = _failed.get()
    if failed is not None:
        failed.update(codes)


class RequestLines:
    """Gives every request an id and one line in the log.

    secret_in_path: matches the beginning of a path whose first group opens something.
    """

    def __init__(self, secret_in_path: re.Pattern[str]) -> None:
        self._secret_in_path = secret_in_path

    def init_app(self, app: Flask) -> None:
        """Puts the id before every request, and writes the line after it."""
        app.before_request(self._begin)
        app.teardown_request(_forget)
        app.after_request(_write_line)

    def _begin(self) -> None:
        _begin()
        # From the path as it was sent: checks may refuse the request before its view, and no route may fit.
        if match := self._secret_in_path.match(request.path):
            redaction.conceal(match[1])


def _begin() -> None:
    sent_id = request.headers.get("X-Request-ID", "")
    own_id = "" if REQUEST_ID.fullmatch(sent_id) else uuid.uuid4().hex
    g.request_id = own_id or sent_id
    g.started = time.monotonic()
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)
    _failed.set({})
    redaction.begin()
    redaction.disclose(EVENT, own_id)
    redaction.conceal(request.headers.get("Authorization", "").partition(" ")[2].strip())


def _forget(error: BaseException | None) -> None:
    # The thread is reused, and the next line that gunicorn logs on it belongs to no request.
    clear_contextvars()
    redaction.end()
    _failed.set(None)


def _write_line(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    client = g.get("client")
    failed = _failed.get()
    logger.info(
        EVENT,
        method=request.method,
        # Without the query string.
        path=redaction.hide(request.path, MAX_PATH),
        status=response.status_code,
        milliseconds=round(1000 * (time.monotonic() - g.started)),
        client=client.id if client else None,
        **({"failed": failed} if failed else {}),
    )
    return response
