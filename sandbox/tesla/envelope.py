"""The form of every answer."""

from typing import Any

from flask import Response

from sandbox.replies import reply
from sandbox.tesla.constants import CONTENT_TYPE, ERRORS


def success(response: Any, **members: Any) -> Response:
    """The envelope of an answer; `members` stand next to `response`."""
    return reply({"response": response, **members}, content_type=CONTENT_TYPE)


def failure(status: int, description: str = "", error: str | None = None) -> Response:
    """The envelope of an error, with the usual text of its status unless `error` is given."""
    text = ERRORS.get(status, f"error {status}") if error is None else error
    body = {"response": None, "error": text, "error_description": description}
    return reply(body, status, content_type=CONTENT_TYPE)
