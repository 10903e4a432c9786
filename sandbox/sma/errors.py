"""The Monitoring API's form of an error."""

from flask import Response

from sandbox.replies import reply
from sandbox.sma import constants


def error(status: int, detail: str = "") -> Response:
    """An error with its code in the body; of a 401 only the challenge is known."""
    if status == 401 and not constants.UNAUTHORIZED_HAS_BODY:
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    return reply({"message": detail or "Error", "code": constants.ERROR_CODES.get(status, str(status))}, status)
