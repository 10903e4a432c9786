"""Answers to requests that no route sees, as problem documents."""

from __future__ import annotations

import json

from gunicorn.http import errors as gunicorn

from app.config import BODY_LIMIT
from app.server import limits
from app.web.problems import MEDIA_TYPE, Problem

# Not http.HTTPStatus: its phrases differ between versions of Python, and the codes are made of them.
_TITLES = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
_DETAILS = {
    400: "This is no request that HTTP/1.1 allows, or the header Host is missing.",
    408: "The request did not arrive whole within {0.PATIENCE_SECONDS:g} seconds.",
    413: f"The body may have at most {BODY_LIMIT} bytes.",
    414: "The request line may have at most {0.REQUEST_LINE_BYTES} bytes.",
    417: "The header Expect may only be 100-continue.",
    431: "A header may have {0.HEADER_BYTES} bytes, all together {0.HEADERS_BYTES}, and there may be 100 of them.",
    500: "The service failed; its log has the cause.",
    501: "Of the transfer codings only chunked is understood.",
    503: "All threads of this service are busy; try again shortly.",
}
# Of gunicorn's parser; every other error of it is a 400.
_STATUSES: dict[type[Exception], int] = {
    gunicorn.LimitRequestLine: 414,
    gunicorn.ExpectationFailed: 417,
    gunicorn.LimitRequestHeaders: 431,
    gunicorn.UnsupportedTransferCoding: 501,
}
ALL_TAKEN = "All places for connections are taken; try again shortly."


def status_of(error: Exception) -> int:
    """The HTTP status for an error of gunicorn's parser in the head of a request."""
    return _STATUSES.get(type(error), 400)


def problem(status: int, detail: str = "") -> Problem:
    """The problem for a status; a detail where the usual sentence does not fit."""
    title = _TITLES[status]
    code = title.lower().replace(" ", "_")
    return Problem(status, code, detail or _DETAILS[status].format(limits), title=title)


def message(refused: Problem, request_id: str) -> bytes:
    """The whole HTTP response, after which the connection closes."""
    body = json.dumps(refused.body(request_id))
    again = "Retry-After: 5\r\n" if refused.status == 503 else ""
    return (
        f"HTTP/1.1 {refused.status} {refused.title}\r\nContent-Type: {MEDIA_TYPE}\r\nConnection: close\r\n"
        f"Cache-Control: private, no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-ID: {request_id}\r\n"
        f"{again}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
