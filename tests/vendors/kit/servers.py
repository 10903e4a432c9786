"""Servers that misbehave on purpose, on loopback, over plain HTTP or TLS."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import trustme

Behaviour = Callable[[socket.socket, threading.Event, bytes], None]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def reply(body: bytes, head: bytes = OK) -> Behaviour:
    """A whole answer; the connection stays open."""

    def behave(connection, stopped, received):
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return behave


def raw(content: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""

    def behave(connection, stopped, received):
        connection.sendall(content)
        raise ConnectionAbortedError

    return behave


def send(content: bytes) -> Behaviour:
    """These bytes."""

    def behave(connection, stopped, received):
        connection.sendall(content)

    return behave


def tunnel(connection, stopped, received):
    """A proxy that answers CONNECT, and passes on what comes then."""
    host, _, port = received.split()[1].decode().partition(":")
    with socket.create_connection((host, int(port))) as there:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pass_on, args=(there, connection))
        back.start()
        _pass_on(connection, there)
        back.join()


def _pass_on(source, target):
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def hang(connection, stopped, received):
    """No answer until the test is over."""
    stopped.wait(30)


def drip(start: bytes, forever: bytes) -> Behaviour:
    """A byte now and then, so that no single read ever times out."""

    def behave(connection, stopped, received):
        connection.sendall(start)
        while not stopped.wait(0.05):
            connection.sendall(forever)

    return behave


def flood(head: bytes, block: bytes) -> Behaviour:
    """Bytes without end."""

    def behave(connection, stopped, received):
        connection.sendall(head)
        while not stopped.is_set():
            connection.sendall(block)

    return behave


def reset(connection, stopped, received):
    """An RST instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    raise ConnectionAbortedError


class Server:
    """Where it is reached, and what it has received."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0


@contextmanager
def serving(behave: Behaviour, authority: trustme.CA | None = None, name: str = "127.0.0.1") -> Iterator[Server]:
    """A server that meets every request with `behave`; with an authority, over TLS as `name`."""
    server, stopped = Server(), threading.Event()
    context = None
    if authority:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)

    def serve(connection):
        try:
            with context.wrap_socket(connection, server_side=True) if context else connection as connection:
                while not stopped.is_set():
                    received = b""
                    while b"\r\n\r\n" not in received:
                        block = connection.recv(65536)
                        if not block:
                            return
                        received += block
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
