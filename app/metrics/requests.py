"""Counts requests by route and status, and those in progress."""

import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request

from app.metrics.definitions import Instruments

# Paths that lead to no route have one label: a caller can send any.
NO_ROUTE = "none"


class RequestMetrics:
    """Hooks around every request. A request's duration begins with its id, at the first step before it.

    count_calls: called before a request is counted.
    """

    def __init__(self, instruments: Instruments, count_calls: Callable[[], None]) -> None:
        self._count_calls = count_calls
        self._requests = instruments.counter("derapi_requests_total")
        self._seconds = instruments.histogram("derapi_request_seconds")
        self._counts: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}
        # A thread has one request at a time. Adding to a set takes no lock.
        self._busy_threads: set[int] = set()

    @property
    def in_progress(self) -> int:
        """The number of requests in progress."""
        return len(self._busy_threads)

    def init_app(self, app: Flask) -> None:
        """Puts the hooks around every request."""
        app.before_request(self._begin)
        app.after_request(self._count)
        app.teardown_request(self._end)

    def _begin(self) -> None:
        self._busy_threads.add(threading.get_ident())

    def _end(self, error: BaseException | None) -> None:
        self._busy_threads.discard(threading.get_ident())

    def _count(self, response: Response) -> Response:
        self._count_calls()
        rule: Any = request.url_rule
        # A request that leads to no route may have any method.
        key = (NO_ROUTE, NO_ROUTE, response.status_code)
        if rule is not None:
            key = (rule.rule, request.method, response.status_code)
        counts = self._counts.get(key)
        if counts is None:
            route, method, status = key
            counts = self._requests.labels(route, method, status).inc, self._seconds.labels(route).observe
            self._counts[key] = counts
        increment, observe = counts
        increment()
        observe(time.monotonic() - g.started)
        return response
