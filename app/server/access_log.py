"""gunicorn's logger without its access log: app.web.log writes the line for each request."""

from typing import Any

from gunicorn.glogging import Logger


class NoAccessLog(Logger):
    """gunicorn's logger, for its errors only."""

    def access(self, *details: Any) -> None:
        """Writes nothing."""
