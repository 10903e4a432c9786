"""The server: threads, HTTP/1.1 with connections kept open, TLS on demand, one log line per call."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from sandbox.application import create_app, warm_up

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("sandbox")
HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    """Answers the calls of one connection.

    werkzeug's own handler closes after every call, so this one does the writing itself; it reads each request's
    body to the end first, for the next request line follows it.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # An idle connection lives as long, and a client that stops reading is given up after it.
    timeout = 150

    def make_environ(self) -> "WSGIEnvironment":
        environ = super().make_environ()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        stream = environ["wsgi.input"]
        body = stream.read() if environ.get("wsgi.input_terminated") else stream.read(length)
        environ["wsgi.input"] = BytesIO(body)
        return environ

    def run_wsgi(self) -> None:
        began = time.monotonic()
        status = "cut"
        chunks: Iterable[bytes] = ()
        try:
            chunks, status, headers = run_wsgi_app(self.server.app, self.make_environ())
            self._answer(chunks, status, list(headers))
        except OSError:
            status, self.close_connection = "cut", True
        finally:
            getattr(chunks, "close", _nothing)()
        path = self.path.partition("?")[0]
        log.info("%s %s %s %.0f ms", self.command, path, status.split()[0], 1000 * (time.monotonic() - began))

    def _answer(self, chunks: Iterable[bytes], status: str, headers: list[tuple[str, str]]) -> None:
        """Sends the headers with the first bytes: a fault may end the connection before there are any."""
        chunks_left = iter(chunks)
        first = next(chunks_left, b"")
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        sized = any(name.lower() == "content-length" for name, _ in headers) or code in ("204", "304")
        if not sized:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        for chunk in (first, *chunks_left) if sized else _chunked(first, chunks_left):
            self.wfile.write(chunk)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: `run_wsgi` logs, without query strings."""


def _nothing() -> None:
    """For answers that need no closing."""


def _chunked(first: bytes, chunks_left: Iterator[bytes]) -> Iterator[bytes]:
    chunk: bytes | None = first
    while chunk is not None:
        if chunk:
            yield b"%x\r\n%b\r\n" % (len(chunk), chunk)
        chunk = next(chunks_left, None)
    yield b"0\r\n\r\n"


class _Server(ThreadedWSGIServer):
    """Listens on loopback. A TLS handshake is made in the connection's own thread, so that none holds up the rest."""

    def __init__(self, app: Flask, port: int, tls: ssl.SSLContext | None) -> None:
        with socket.create_server((HOST, port), backlog=256) as listening:
            super().__init__(HOST, port, app, handler=_Handler, fd=listening.fileno())
        self.ssl_context = tls

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.ssl_context is not None:
            connection = self.ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address


@contextmanager
def running(app: Flask, ssl_context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serves the sandbox on a free port for the length of the block; gives its base URL, without a slash."""
    server = _Server(app, 0, ssl_context)
    app.extensions["world"].stopped.clear()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if ssl_context else 'http'}://{HOST}:{server.port}"
    finally:
        app.extensions["world"].stopped.set()
        server.shutdown()
        thread.join()


def serve(port: int = 9000, sites: int = 8, seed: int = 1) -> None:
    """Serves the sandbox until it is interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    log.setLevel(logging.INFO)
    app = create_app(sites, seed)
    try:
        server = _Server(app, port, None)
    except OSError as error:
        raise SystemExit(f"The sandbox cannot listen on port {port}: {error.strerror}. Choose another port.") from None
    warm_up(app)
    log.info("sandbox of %d sites on http://%s:%d/", sites, HOST, server.port)
    server.serve_forever()
    app.extensions["world"].stopped.set()
