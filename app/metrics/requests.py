"""Counts requests by route and status."""

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request

from app.metrics.calls import CallMetrics
from app.metrics.definitions import Instruments

# Paths that lead to no route have one label: a caller can send any.
NO_ROUTE = "none"


class RequestMetrics:
    """A hook after every request. Its duration begins with its id, at the first step before it.

    calls: they are written here only if nothing else does so.
    """

    def __init__(self, instruments: Instruments, calls: CallMetrics) -> None:
        self._calls = calls
        self._requests = instruments.counter("derapi_requests_total")
        self._seconds = instruments.histogram("derapi_request_seconds")
        self._counts: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def init_app(self, app: Flask) -> None:
        """Puts the hook after every request."""
        app.after_request(self.count)

    def count(self, response: Response) -> Response:
        """Counts the current request, before its response leaves."""
        if self._calls.is_behind:
            self._calls.write()
        # Each use of the proxy would look for it in the context again.
        current: Any = request._get_current_object()  # type: ignore[attr-defined]
        rule = current.url_rule
        # A request that leads to no route may have any method.
        key = NO_ROUTE, NO_ROUTE, response.status_code
        if rule is not None:
            key = rule.rule, current.method, response.status_code
        counts = self._counts.get(key)
        if counts is None:
            route, method, status = key
            counts = self._requests.labels(route, method, status).inc, self._seconds.labels(route).observe
            self._counts[key] = counts
        increment, observe = counts
        increment()
        observe(time.monotonic() - g.started)
        return response
