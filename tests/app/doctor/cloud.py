"""A server in place of all vendors' clouds."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import trustme


class Recorder(BaseHTTPRequestHandler):
    """Answers 404 to everything, as vendors do below no known path, and records what it gets."""

    def __init__(self, requests: list[tuple[str, dict[str, str]]], *args: Any) -> None:
        self.requests = requests
        super().__init__(*args)

    def do_GET(self) -> None:
        self.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the test's output clean."""


@contextmanager
def cloud(authority: trustme.CA | None = None) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A server in place of all vendors; yields its URL and the requests that it gets."""
    requests: list[tuple[str, dict[str, str]]] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Recorder, requests)) as server:
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http{'s' if authority else ''}://127.0.0.1:{server.server_port}", requests
        server.shutdown()
