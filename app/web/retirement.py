"""Retired routes: announced in the headers of their responses (RFC 9745, RFC 8594), and a 410 once their time is over.

No route is retired today. A member of a response is never retired by itself: it stays in the versions of the API that
have it, and a client stays with the version that it is pinned to.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from flask import Flask, Response, request

from app.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Retirement:
    """When a route was deprecated, when it ends, and the page that says what to use in its place. Times in UTC."""

    deprecated: datetime
    sunset: datetime
    page: str


# By the endpoint of the route.
RETIRED: Mapping[str, Retirement] = {}


class Retirements:
    """Adds the headers, and refuses requests after the sunset. `clock`: epoch seconds."""

    def __init__(self, routes: Mapping[str, Retirement] = RETIRED, clock: Callable[[], float] = time.time) -> None:
        self._routes, self._clock = routes, clock

    def init_app(self, app: Flask) -> None:
        """Registers nothing where no route is retired."""
        if self._routes:
            app.before_request(self.refuse)
            app.after_request(self.announce)

    def refuse(self) -> None:
        """Raises a 410 Problem after the sunset."""
        retirement = self._routes.get(request.endpoint or "")
        if retirement and self._clock() >= retirement.sunset.timestamp():
            detail = (
                f"This route has ended on {retirement.sunset:%Y-%m-%d}; {retirement.page} says what to use instead."
            )
            raise Problem(410, "gone", detail)

    def announce(self, response: Response) -> Response:
        """Adds the headers, also to errors."""
        if retirement := self._routes.get(request.endpoint or ""):
            response.headers["Deprecation"] = f"@{int(retirement.deprecated.timestamp())}"
            response.headers["Sunset"] = format_datetime(retirement.sunset, usegmt=True)
            response.headers.add("Link", f'<{retirement.page}>; rel="deprecation"')
            response.headers.add("Link", f'<{retirement.page}>; rel="sunset"')
        return response
