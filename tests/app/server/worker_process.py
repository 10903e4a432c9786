"""Starts gunicorn with this project's worker as a process, with shortened limits and a large response at /large."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from tests.ports import free_port
from tests.processes import clean, read_until, started

LARGE_BYTES = 300_000
SERVE = f"""
import json, resource, sys, wsgi
from app import bounded_log
from app.server import limits

options = json.loads(sys.argv.pop(1))
vars(limits).update(options["limits"])
bounded_log.MINUTE = options["log_minute"]
if options["open_files"]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (options["open_files"],) * 2)
service = wsgi.app.wsgi_app

def with_large_response(environ, start_response):
    if environ["PATH_INFO"] != "/large":
        return service(environ, start_response)
    start_response("200 OK", [("Content-Length", "{LARGE_BYTES}")])
    return [b"x" * {LARGE_BYTES}]

wsgi.app.wsgi_app = with_large_response
sys.argv[0] = "gunicorn"
sys.argv.append("wsgi:app")
from gunicorn.app.wsgiapp import run
run()
"""
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
# Ends the head of the last request on a connection.
LAST = b"Connection: close\r\n\r\n"


class Server:
    """A running server, and the JSON objects that it has logged since its start."""

    def __init__(self, port: int, process: subprocess.Popen[str], max_connections: int) -> None:
        self.port, self.process, self.max_connections = port, process, max_connections
        self.lines: list[dict[str, Any]] = []
        # The process would otherwise block once the pipe of its log is full.
        threading.Thread(target=self._read_log, daemon=True).start()

    def connect(self, data: bytes = b"", timeout: float = 20) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        connection.sendall(data)
        return connection

    def is_healthy(self) -> bool:
        return requests.get(f"http://127.0.0.1:{self.port}/health", timeout=20).status_code == 200

    def line(self, event: str, **members: object) -> dict[str, Any]:
        """Returns the first line in the log with this event and these members; waits for it."""
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            for line in list(self.lines):
                if line["event"] == event and members.items() <= line.items():
                    return line
            time.sleep(0.05)
        raise AssertionError(f"no line {event!r} with {members} among {self.lines[-20:]}")

    def _read_log(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with suppress(json.JSONDecodeError):
                self.lines.append(json.loads(line))


@contextmanager
def serving(
    folder: Path,
    *options: str,
    limits: dict[str, float] | None = None,
    log_minute: float = 60.0,
    open_files: int | None = None,
    processes: int = 1,
) -> Iterator[Server]:
    """Starts a server and waits for its first answer. `options` are gunicorn's; `limits` replace app.server.limits."""
    replaced = json.dumps({"limits": limits or {}, "log_minute": log_minute, "open_files": open_files})
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=folder, WEB_CONCURRENCY=processes)
    with started([sys.executable, "-c", SERVE, replaced, *options], environ) as process:
        listening = json.loads(read_until(process, "listening").splitlines()[-1])
        server = Server(port, process, listening["connections"])
        assert server.is_healthy()
        yield server


def read_all(connection: socket.socket) -> bytes:
    """Returns everything until the server closes the connection."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def read_response(connection: socket.socket) -> bytes:
    """Returns one JSON response on a connection that stays open."""
    received = b""
    while not received.endswith(b"}"):
        data = connection.recv(65536)
        assert data, received
        received += data
    return received


def statuses(received: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+) ", received)]
