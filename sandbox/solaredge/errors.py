"""SolarEdge's form of an error: a problem as of RFC 9457."""

from uuid import uuid4

from flask import Response

from sandbox.replies import reply
from sandbox.solaredge.constants import PROBLEM_TYPE

TITLES = {
    400: "Bad Request",
    401: "Unauthorized - Authentication Failed",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
}


def error(status: int, detail: str = "") -> Response:
    """A problem with that detail."""
    problem = {
        "type": PROBLEM_TYPE,
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "instance": None,
        "properties": {"traceId": uuid4().hex},
    }
    return reply(problem, status, content_type="application/problem+json")
