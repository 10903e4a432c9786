"""Servers on loopback, over plain HTTP or TLS, with behaviours that tests choose, also ones that violate HTTP."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import trustme

from vendors.kit import Request

# Answers one request. Arguments: the connection, an event that is set when the test is over, the request's bytes.
Behaviour = Callable[[socket.socket, threading.Event, bytes], None]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def reply(body: bytes, head: bytes = OK) -> Behaviour:
    """A complete response; the connection stays open."""
    return send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def send_and_close(content: bytes) -> Behaviour:
    """Sends these bytes and closes the connection."""

    def behave(connection, stopped, received):
        connection.sendall(content)
        raise ConnectionAbortedError

    return behave


def send(content: bytes) -> Behaviour:
    """Sends these bytes; the connection stays open."""

    def behave(connection, stopped, received):
        connection.sendall(content)

    return behave


def send_bytewise(content: bytes) -> Behaviour:
    """Sends each of these bytes in a separate TCP segment; the connection stays open."""

    def behave(connection, stopped, received):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(len(content)):
            connection.sendall(content[number : number + 1])

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first behaviour for the first request, and so on."""
    remaining = iter(behaviours)
    return lambda *exchange: next(remaining)(*exchange)


def echo_target(connection, stopped, received):
    """The request's target as the body."""
    reply(received.split()[1])(connection, stopped, received)


def tunnel(connection, stopped, received):
    """Behaves as a proxy: answers CONNECT, then passes bytes on in both directions."""
    host, _, port = received.split()[1].decode().partition(":")
    with socket.create_connection((host, int(port))) as upstream:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        downstream = threading.Thread(target=_pass_on, args=(upstream, connection))
        downstream.start()
        _pass_on(connection, upstream)
        downstream.join()


def _pass_on(source, target):
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def hang(connection, stopped, received):
    """No answer until the test is over."""
    stopped.wait(30)


def drip(start: bytes, block: bytes) -> Behaviour:
    """Sends `start`, then `block` every 50 ms without end, so that no single read ever times out."""

    def behave(connection, stopped, received):
        connection.sendall(start)
        while not stopped.wait(0.05):
            connection.sendall(block)

    return behave


def flood(head: bytes, block: bytes) -> Behaviour:
    """Sends `head`, then `block` without end and without a pause."""

    def behave(connection, stopped, received):
        connection.sendall(head)
        while not stopped.is_set():
            connection.sendall(block)

    return behave


def reset(connection, stopped, received):
    """An RST in place of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    raise ConnectionAbortedError


@contextmanager
def unresponsive_address() -> Iterator[tuple[str, int]]:
    """An address at which connecting hangs, as behind a firewall that drops packets: the listener's backlog is full."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    filling = [socket.socket() for _ in range(4)]
    for sock in filling:
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
    try:
        yield listener.getsockname()
    finally:
        for sock in (listener, *filling):
            sock.close()


def receive_request(connection: socket.socket) -> bytes:
    """The bytes of a request with its body; empty if the client has closed the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        block = connection.recv(65536)
        if not block:
            return b""
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    _, header_name, following_text = head.lower().partition(b"\r\ncontent-length:")
    missing = (int(following_text.split(b"\r\n")[0]) if header_name else 0) - len(body)
    while missing > 0:
        block = connection.recv(65536)
        if not block:
            return b""
        received, missing = received + block, missing - len(block)
    return received


class Server:
    """A running server: its port, the requests that it has received, and its number of connections so far."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0


@contextmanager
def serving(behave: Behaviour, authority: trustme.CA | None = None, name: str = "127.0.0.1") -> Iterator[Server]:
    """A server that answers every request with `behave`; with an authority, over TLS under `name`."""
    server, stopped = Server(), threading.Event()
    context = None
    if authority:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)

    def serve(connection):
        try:
            with context.wrap_socket(connection, server_side=True) if context else connection as connection:
                while not stopped.is_set() and (received := receive_request(connection)):
                    server.requests.append(received)
                    behave(connection, stopped, received)
        except OSError:
            connection.close()

    def accept():
        while True:
            try:
                connection, _ = server.listener.accept()
            except OSError:
                return
            server.connections += 1
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        stopped.set()
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()


def request_to(server: Server, scheme: str = "http", path: str = "/x") -> Request:
    """A plugin's request to this server."""
    return Request("GET", f"{scheme}://127.0.0.1:{server.port}", path)
