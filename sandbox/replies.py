"""JSON answers."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response


def reply(
    data: Any, status: int = 200, headers: Mapping[str, str] | None = None, content_type: str = "application/json"
) -> Response:
    """An answer with that JSON body."""
    return Response(orjson.dumps(data), status=status, headers=headers, content_type=content_type)


class Refused(Exception):
    """Ends the handling of a call with that answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response
