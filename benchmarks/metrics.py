"""The cost of metrics for a request to six vendors, timed alone: its events, their counts, and that of the request.

The values lie in files, as under gunicorn. `python -m benchmarks.metrics`
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, Response, g
from prometheus_client import values

from app.metrics.service import Metrics
from vendors.kit.calls.events import CallEvent, CallKind, notify

VENDORS = ("sma", "solis", "solaredge", "enphase", "tesla", "franklinwh")
REQUESTS, ROUNDS = 200, 50


@contextmanager
def values_in_files() -> Iterator[None]:
    """Metrics that are created meanwhile keep their values in files of a temporary folder."""
    before, name = values.ValueClass, "PROMETHEUS_MULTIPROC_DIR"
    with tempfile.TemporaryDirectory() as folder:
        os.environ[name] = folder
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            values.ValueClass.close_all_files()
            values.ValueClass = before
            del os.environ[name]


class Request:
    """A request to six vendors as the metrics see it: one call of each, or one cached reply."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._observers = metrics, (metrics.calls.observe,)
        app = Flask(__name__)
        app.add_url_rule("/solar-inverters", "lists", lambda: "")
        self.context = app.test_request_context("/solar-inverters")
        self._response = Response()

    def _report(self, kind: CallKind, vendor: str, seconds: float = 0.0) -> None:
        event = CallEvent(kind, vendor, False, "GET", "/v1/plants", "https://v.test", 1, "ok", 200, seconds, 9_000)
        notify(self._observers, event)

    def with_calls(self) -> None:
        """Six exchanges, each of which begins and ends."""
        self._around(self._call_each)

    def from_cache(self) -> None:
        """Six cached replies."""
        self._around(self._reuse_each)

    def _around(self, work: Callable[[], None]) -> None:
        # The calls' events are counted at the end of the request.
        requests = self._metrics.requests
        requests._begin()
        work()
        requests._count(self._response)
        requests._end(None)

    def _call_each(self) -> None:
        for vendor in VENDORS:
            self._report(CallKind.SENDING, vendor)
            self._report(CallKind.SENT, vendor, 0.3)

    def _reuse_each(self) -> None:
        for vendor in VENDORS:
            self._report(CallKind.CACHED, vendor, 40.0)


def microseconds(rounds: int = ROUNDS) -> dict[str, float]:
    """For a request with calls and for one from the cache; of many rounds the shortest, which nothing disturbed."""
    with values_in_files():
        request = Request(Metrics())
        with request.context:
            g.started = time.monotonic()
            kinds = {"six calls": request.with_calls, "six cached replies": request.from_cache}
            return {kind: 1e6 * min(_seconds(count) for _ in range(rounds)) for kind, count in kinds.items()}


def _seconds(count: Callable[[], None]) -> float:
    started = time.perf_counter()
    for _ in range(REQUESTS):
        count()
    return (time.perf_counter() - started) / REQUESTS


if __name__ == "__main__":
    for kind, cost in microseconds().items():
        print(f"metrics of a request, {kind:20} {cost:6.1f} us")
