"""The Monitoring API's forms of an error."""

from typing import Any

from flask import Response, request
from werkzeug.http import HTTP_STATUS_CODES

from sandbox.replies import reply

METHODS = ("POST", "PUT", "GET", "DELETE", "HEAD", "OPTIONS", "PATCH")
TEXTS = {
    401: ("Not Authorized", "User is not authorized"),
    403: ("Forbidden", "Not authorized to access this resource"),
    404: ("Not Found", "Resource not found"),
    422: ("Unprocessable Entity", "Unprocessable"),
    429: ("Too Many Requests", "Usage limit exceeded"),
    500: ("Internal Server Error", "unable to fetch data"),
}


def error(status: int, details: str = "", message: str = "", **more: Any) -> Response:
    """An error in the usual envelope; a wrong method has its own."""
    if status == 405:
        known = request.method in METHODS
        reason, text = ("405", "Method not allowed") if known else ("501", "Not Implemented")
        return reply({"reason": reason, "message": [text]}, int(reason))
    usual, reason = TEXTS.get(status, (HTTP_STATUS_CODES.get(status, "Error"), ""))
    return reply({"message": message or usual, "details": details or reason, "code": status, **more}, status)
