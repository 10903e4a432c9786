"""Effects of a fault on one call, down to the socket.

An effect that no HTTP answer can express is a body that works on the connection once the server reads its first
bytes, and then closes it. It occupies only its own thread, and ends when the client leaves or the sandbox stops.
"""

import os
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from sandbox.faults import LONGEST, Drip, Fault

CHUNK = b"x" * 65_536
LOOK_EVERY = 0.1


def answer(fault: Fault, stopped: threading.Event, of_status: Any) -> Response | None:
    """The answer that the fault gives; None when it was only a delay. `of_status` is the vendor's own error body."""
    if fault.delay:
        stopped.wait(fault.delay)
    response = _answer(fault, stopped, of_status)
    if response is not None:
        response.headers.update(dict(fault.headers))
    return response


def _answer(fault: Fault, stopped: threading.Event, of_status: Any) -> Response | None:
    if fault.hang:
        return Response(_hang(_connection(), stopped))
    if fault.reset:
        return Response(_reset(_connection()))
    if fault.drip is not None:
        return _drip(fault.drip, stopped)
    if fault.huge is not None:
        return Response(_huge(fault.huge), content_type="application/json")
    if fault.redirect is not None:
        return Response(status=fault.status or 302, headers={"Location": fault.redirect})
    if fault.body is not None:
        kind = "text/html" if fault.body.lstrip().startswith("<") else "application/json"
        return Response(fault.body, status=fault.status or 200, content_type=kind)
    return of_status(fault.status) if fault.status is not None else None


def _connection() -> socket.socket:
    connection = request.environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket):
        raise RuntimeError("this fault needs a real connection: run the sandbox with sandbox.server")
    return connection


def _hang(connection: socket.socket, stopped: threading.Event) -> Iterator[bytes]:
    _wait(connection, stopped, LONGEST)
    _end(connection)
    yield b""


def _reset(connection: socket.socket) -> Iterator[bytes]:
    """Closes with a reset. The dead end that takes the descriptor's place cannot become another call's socket."""
    linger_not = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
    dead_end, other = socket.socketpair()
    with dead_end, other:
        os.dup2(dead_end.fileno(), connection.fileno())
    _end(connection)
    yield b""


def _drip(drip: Drip, stopped: threading.Event) -> Response:
    if drip.part == "body":
        return Response(_drip_body(drip, _connection(), stopped), content_type="application/json")
    return Response(_drip_headers(drip, _connection(), stopped))


def _drip_body(drip: Drip, connection: socket.socket, stopped: threading.Event) -> Iterator[bytes]:
    yield b"["
    for _ in _beats(drip, connection, stopped):
        yield b" "
    _end(connection)


def _drip_headers(drip: Drip, connection: socket.socket, stopped: threading.Event) -> Iterator[bytes]:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    for _ in _beats(drip, connection, stopped):
        connection.sendall(b"x")
    _end(connection)
    yield b""


def _huge(size: int) -> Iterator[bytes]:
    yield b'{"padding": "'
    for _ in range(0, size, len(CHUNK)):
        yield CHUNK
    yield b'"}'


def _beats(drip: Drip, connection: socket.socket, stopped: threading.Event) -> Iterator[None]:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until and not _wait(connection, stopped, drip.every):
        yield


def _wait(connection: socket.socket, stopped: threading.Event, seconds: float) -> bool:
    """Waits that long. Returns True as soon as the client has left or the sandbox stops."""
    until = time.monotonic() + seconds
    while not stopped.is_set():
        if _left(connection):
            return True
        remaining = until - time.monotonic()
        if remaining <= 0:
            return False
        stopped.wait(min(remaining, LOOK_EVERY))
    return True


def _left(connection: socket.socket) -> bool:
    """Whether the client has closed. Under TLS any data count as that: reading a record would consume it."""
    if connection.fileno() < 0:
        return True
    if not select.select([connection], [], [], 0)[0]:
        return False
    if isinstance(connection, ssl.SSLSocket):
        return True
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _end(connection: socket.socket) -> None:
    """Closes the connection below TLS, and keeps the server from answering on it."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        pass
    raise ConnectionAbortedError("a fault ended this connection")
