"""Spans of requests and of calls to vendors, with the attributes of OpenTelemetry's conventions for HTTP.

A span holds route, path template, status, vendor and time; no query, id, credential or text of a caller or vendor. Of a
caller's context only `traceparent` is read, whose form is fixed; calls to vendors carry none of it.
"""

import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from structlog.contextvars import bind_contextvars

from vendors.kit.calls.events import OK, CallEvent, CallKind

NAME = "derapi"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
# How long the end of a process waits for the collector.
FLUSH_SECONDS = 2.0

Attributes = dict[str, AttributeValue]
CallKey = tuple[int, str, str, str, int]


@dataclass(slots=True)
class RequestTrace:
    """The span of a request, and when its exchanges with vendors began (epoch nanoseconds), the earliest first."""

    span: Span
    begun: dict[CallKey, deque[int]] = field(default_factory=lambda: defaultdict(deque))


# Follows into the threads that work for the request.
_current: ContextVar[RequestTrace | None] = ContextVar("trace", default=None)


class Traces:
    """The traces of one process. `build` is called at the first request, after gunicorn's fork, since a thread of the
    master would not exist in its workers."""

    def __init__(self, build: Callable[[], TracerProvider]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None
        self._propagator = TraceContextTextMapPropagator()

    def init_app(self, app: Flask) -> None:
        """Makes a span of every request."""
        app.before_request(self._begin)
        app.after_request(self._answered)
        app.teardown_request(self._end)

    def close(self) -> None:
        """Sends what is left, for FLUSH_SECONDS at most."""
        with self._lock:
            provider, self._provider, self._tracer = self._provider, None, None
        if provider is not None:
            # In a thread: the packages wait for a collector that hangs for 30 s.
            flush = threading.Thread(target=provider.shutdown, name="flush-traces", daemon=True)
            flush.start()
            flush.join(FLUSH_SECONDS)

    def _tracer_of_process(self) -> Tracer:
        if self._tracer is None:
            with self._lock:
                if self._tracer is None:
                    self._provider = self._build()
                    self._tracer = self._provider.get_tracer(NAME)
        return self._tracer

    def _begin(self) -> None:
        parent = self._propagator.extract({"traceparent": request.headers.get("traceparent", "")})
        method = request.method if request.method in METHODS else "_OTHER"
        attributes: Attributes = {"http.request.method": method, "url.scheme": request.scheme}
        name = "HTTP" if method == "_OTHER" else method
        if request.url_rule is not None:
            attributes["http.route"] = route = template_of(request.url_rule.rule)
            name = f"{name} {route}"
        span = self._tracer_of_process().start_span(name, parent, SpanKind.SERVER, attributes)
        g.trace = RequestTrace(span)
        _current.set(g.trace)
        bind_contextvars(trace_id=f"{span.get_span_context().trace_id:032x}")

    def _answered(self, response: Response) -> Response:
        if trace := g.get("trace"):
            trace.span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 500:
                trace.span.set_attribute("error.type", str(response.status_code))
                trace.span.set_status(Status(StatusCode.ERROR))
        return response

    def _end(self, error: BaseException | None) -> None:
        _current.set(None)
        if trace := g.pop("trace", None):
            trace.span.end()

    def observe(self, event: CallEvent) -> None:
        """Observes the events of calls: an exchange becomes a span, all else an event of the request's span."""
        trace = _current.get()
        if trace is None:
            return
        key = (threading.get_ident(), event.method, event.base, event.path, event.attempt)
        if event.kind is CallKind.SENDING:
            trace.begun[key].append(time.time_ns())
        elif event.kind is CallKind.SENT:
            duration = round(event.seconds * 1e9)
            begun = trace.begun.pop(key, deque())
            self._exchange(trace.span, event, begun.popleft() if begun else time.time_ns() - duration, duration)
            if begun:
                trace.begun[key] = begun
        elif trace.span.is_recording():
            trace.span.add_event(event.kind.value, attributes_of(event))

    def _exchange(self, parent: Span, event: CallEvent, start: int, duration: int) -> None:
        """The span of an exchange; its duration does not contain the time until the reply's meaning was known."""
        span = self._tracer_of_process().start_span(
            f"{event.method} {event.path}",
            set_span_in_context(parent),
            SpanKind.CLIENT,
            attributes_of(event) | address_of(event.base),
            start_time=start,
        )
        if event.status is not None:
            span.set_attribute("http.response.status_code", event.status)
        if event.code != OK:
            span.set_status(Status(StatusCode.ERROR))
        span.end(start + duration)


def attributes_of(event: CallEvent) -> Attributes:
    """The attributes of a call; `derapi.*` are this project's."""
    attributes: Attributes = {
        "http.request.method": event.method,
        "url.template": event.path,
        "derapi.vendor": event.vendor,
    }
    if event.attempt > 1:
        attributes["http.request.resend_count"] = event.attempt - 1
    if event.is_renewal:
        attributes["derapi.token_renewal"] = True
    if event.code != OK:
        attributes["error.type"] = event.code
    return attributes


@lru_cache(maxsize=256)
def address_of(base: str) -> Attributes:
    """Host and port of a base URL."""
    url = urlsplit(base)
    port = url.port or (443 if url.scheme == "https" else 80)
    return {"server.address": url.hostname or "", "server.port": port}


@lru_cache(maxsize=256)
def template_of(rule: str) -> str:
    """A route of Flask as OpenAPI writes it."""
    return ARGUMENT.sub(r"{\1}", rule)
