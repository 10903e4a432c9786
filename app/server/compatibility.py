"""Checks that the installed gunicorn has the internals that app.server.worker is built on.

The worker extends gunicorn's gthread worker, most of which is undocumented. A release that renames a part of it costs
this worker, not the service: gunicorn's own worker remains (WORKER=gthread). The check covers names and parameters. A
change of meaning is for the deployment tests to find.
"""

import importlib
import inspect
import socket
from collections.abc import Iterator
from typing import Any

import gunicorn

# Methods that are overridden or called, by class.
METHODS = {
    "gunicorn.workers.gthread.ThreadWorker": (
        "accept(self, listener)",
        "check_config(cfg, log)",
        "enqueue_req(self, conn)",
        "finish_request(self, conn, fs)",
        "handle(self, conn)",
        "handle_request(self, req, conn)",
        "murder_pending(self)",
        "on_client_socket_readable(self, conn, client)",
        "on_pending_socket_readable(self, conn, client)",
        "set_accept_enabled(self, enabled)",
        "wait_for_and_dispatch_events(self, timeout)",
    ),
    "gunicorn.workers.gthread.PollableMethodQueue": ("defer(self, callback, args)",),
    "gunicorn.workers.gthread.TConn": (
        "__init__(self, cfg, sock, client, server)",
        "close(self, graceful)",
        "set_timeout(self)",
    ),
    "gunicorn.http.parser.RequestParser": ("__init__(self, cfg, source, source_addr)", "__next__(self)"),
    "gunicorn.http.unreader.Unreader": ("take_buffered(self)", "unread(self, data)"),
    "gunicorn.errors.ConfigError": (),
    "gunicorn.http.errors.ExpectationFailed": (),
    "gunicorn.http.errors.LimitRequestHeaders": (),
    "gunicorn.http.errors.LimitRequestLine": (),
    "gunicorn.http.errors.NoMoreData": (),
    "gunicorn.http.errors.ParseException": (),
    "gunicorn.http.errors.UnsupportedTransferCoding": (),
}
# Attributes of the objects that `sample_objects` makes, by class.
ATTRIBUTES = {
    "ThreadWorker": "age alive cfg keepalived_conns log max_keepalived method_queue nr_conns pending_conns poller tmp "
    "tpool worker_connections",
    "TConn": "cfg client parser sock timeout",
    "RequestParser": "mesg unreader",
    "Request": "_expected_100_continue body",
}


def require() -> None:
    """Ends the process with one line if the worker cannot run on the installed gunicorn."""
    lacking = list(missing_methods()) or list(missing_attributes())
    if lacking:
        raise SystemExit(
            f"gunicorn {gunicorn.__version__} lacks internals that WORKER=derapi needs ({', '.join(lacking)}): "
            "set WORKER=gthread to serve with gunicorn's own worker, or install the gunicorn of requirements.txt"
        )


def missing_methods() -> Iterator[str]:
    """Yields the classes that are missing, and the methods that are missing or have other parameters."""
    for path, methods in METHODS.items():
        module, _, name = path.rpartition(".")
        try:
            cls = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            yield path
            continue
        for method in methods:
            name = method.partition("(")[0]
            if name + parameters(getattr(cls, name, None)) != method:
                yield f"{path}.{method}"


def parameters(function: Any) -> str:
    """Returns the parameters of a function without defaults and annotations, which may change; "" if it is none."""
    try:
        return f"({', '.join(inspect.signature(function).parameters)})"
    except (TypeError, ValueError):
        return ""


def missing_attributes() -> Iterator[str]:
    """Yields the attributes that objects of gunicorn lack, or its error if they cannot be made."""
    try:
        samples = sample_objects()
    except Exception as error:  # An unknown gunicorn may fail in any way; the start reports it and ends.
        yield f"a worker, a connection and a request could not be made: {error!r}"
        return
    for sample in samples:
        for name in ATTRIBUTES[type(sample).__name__].split():
            if not hasattr(sample, name):
                yield f"{type(sample).__module__}.{type(sample).__name__}.{name}"


def sample_objects() -> list[Any]:
    """Makes the gunicorn objects whose attributes the worker uses. Most attributes exist on instances only."""
    from gunicorn.config import Config
    from gunicorn.http.parser import RequestParser
    from gunicorn.workers.gthread import TConn, ThreadWorker

    cfg = Config()
    worker = ThreadWorker(0, 0, [], None, 0, cfg, None)
    worker.tmp.close()
    with socket.socket() as sock:
        connection = TConn(cfg, sock, None, None)
    parser = RequestParser(cfg, [b"GET / HTTP/1.1\r\n\r\n"], ("127.0.0.1", 1))
    request = next(parser)
    return [worker, connection, parser, request]
