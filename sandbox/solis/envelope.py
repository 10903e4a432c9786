"""The form of every answer, and what a request's body asks for."""

from collections.abc import Sequence
from typing import Any

from flask import Response, request

from sandbox.replies import Refused, reply
from sandbox.solis import constants


def success(data: Any) -> Response:
    """The envelope of an answer."""
    return reply({"success": True, "code": "0", "msg": "success", "data": data})


def failure(code: str, text: str) -> Response:
    """The envelope of an error: status 200, and `success` true all the same."""
    return reply({"success": True, "code": code, "msg": text, "data": None})


def unknown() -> Response:
    """The answer to an id that is not of this account."""
    return failure(constants.UNKNOWN_CODE, constants.UNKNOWN_TEXT)


def member(name: str) -> str:
    """A member of the request's body as text; "" when it is missing. Numbers and texts are the same here."""
    body = request.get_json(force=True, silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    return "" if value is None else str(value)


def paged(rows: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """The rows of the page that the body asks for, and its counters. Raises Refused."""
    current, size = _whole("pageNo", 1), _whole("pageSize", 20)
    if current < 1 or not 1 <= size <= constants.LARGEST_PAGE:
        raise Refused(failure(constants.BAD_PARAMETER, "pageNo or pageSize is out of range"))
    chosen = rows[(current - 1) * size : current * size]
    counters = {"total": len(rows), "size": size, "current": current, "pages": -(-len(rows) // size)}
    return chosen, {**counters, "orders": [], "optimizeCountSql": False, "searchCount": True}


def _whole(name: str, default: int) -> int:
    text = member(name) or str(default)
    if not text.isdecimal():
        raise Refused(failure(constants.BAD_PARAMETER, f"{name} is not a number"))
    return int(text)
