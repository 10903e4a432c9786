"""Connections to an origin, kept for the next call.

requests' own, through urllib3, http.client and the header parser of email, cost several times the CPU.
"""

import base64
import select
import socket
import ssl
import weakref
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from urllib.parse import unquote, urlsplit

import httptools
import requests

from vendors.kit.deadline import Deadline
from vendors.kit.http.dial import connect, encrypt
from vendors.kit.http.response_parser import Reader

CHUNK = 64 * 1024
# Kept open while nobody uses them, of one origin.
CONNECTIONS = 64
DEFAULT_PORTS = {"http": 80, "https": 443}


class NotConnected(requests.ConnectionError):
    """Nothing was sent, since the host was not reached."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a URL leads."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port, as Host and CONNECT want it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@lru_cache(maxsize=1024)
def origin_of(url: str) -> Origin:
    """The origin of a URL. Raises ValueError when it has none, or names a user."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise ValueError("a URL with http or https and a host is needed")
    return Origin(parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme])


class Connection:
    """One connection, for one exchange at a time, which ends by the deadline that it is given."""

    def __init__(self, sock: socket.socket) -> None:
        # With a timeout of its own, a socket would wait and give way to other threads twice as often.
        sock.setblocking(False)
        self._sock = sock
        self._reader = Reader()
        self._poll, self._event = select.poll(), select.POLLIN
        self._poll.register(sock, self._event)

    @property
    def has_news(self) -> bool:
        """Whether something came though nothing was asked, which mostly is the end."""
        return self._is_ready(select.POLLIN, 0)

    def exchange(self, sent: bytes, deadline: Deadline, *, wants_body: bool = True) -> Reader:
        """The reply to a request, until it is forgotten."""
        reader = self._reader
        self._send(sent, deadline)
        self._wait(select.POLLIN, deadline)
        while not (reader.is_whole if wants_body else reader.head_is_whole):
            data = self._receive(deadline)
            if data:
                reader.feed(data)
            else:
                reader.end()
        return reader

    def _send(self, data: bytes, deadline: Deadline) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._sock.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT, deadline)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, deadline)

    def _receive(self, deadline: Deadline) -> bytes:
        while True:
            # Also where bytes come without end, so that no wait is needed.
            deadline.timeout()
            try:
                return self._sock.recv(CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN, deadline)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, deadline)

    def _wait(self, event: int, deadline: Deadline) -> None:
        """Returns when the socket is ready. Raises TimeoutError at the deadline."""
        if not self._is_ready(event, ceil(1000 * deadline.timeout())):
            raise TimeoutError("the vendor has not answered before the deadline")

    def _is_ready(self, event: int, milliseconds: int) -> bool:
        if event != self._event:
            self._poll.modify(self._sock, event)
            self._event = event
        return bool(self._poll.poll(milliseconds))

    def encrypted(self, host: str, ca_file: str, deadline: Deadline) -> "Connection":
        """The same with TLS, from now on."""
        sock = encrypt(self._sock, host, ca_file, deadline)
        self._reader.close()
        return Connection(sock)

    def forget(self) -> None:
        """Makes ready for another exchange; holds nothing of the last one while it waits."""
        self._reader.expect()

    def close(self) -> None:
        """Ends it, and frees at once what its last reply held."""
        self._sock.close()
        self._reader.close()


class Connections:
    """Those of one cloud, shared by all threads: one is taken for a call and given back after a whole reply."""

    def __init__(self, proxy_url: str, ca_file: str) -> None:
        self._ca_file = ca_file
        self._proxy: Origin | None = None
        self._proxy_headers = ""
        if proxy_url:
            parts = urlsplit(proxy_url)
            self._proxy = origin_of(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
            if parts.username is not None:
                user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
                self._proxy_headers = f"Proxy-Authorization: Basic {base64.b64encode(user.encode()).decode()}\r\n"
        self._idle: dict[Origin, deque[Connection]] = {}
        weakref.finalize(self, _close, self._idle)

    def way(self, origin: Origin, target: str) -> tuple[str, str, str]:
        """What stands in the first line for a target there, the host, and headers for a proxy that reads them."""
        if self._proxy and origin.scheme == "http":
            return f"http://{origin.authority}{target}", origin.authority, self._proxy_headers
        return target, origin.authority, ""

    def take(self, origin: Origin, deadline: Deadline) -> Connection:
        """A connection, kept or new. Raises requests.ConnectTimeout, requests.exceptions.SSLError or NotConnected."""
        idle = self._idle.get(origin)
        while idle:
            try:
                connection = idle.pop()
            except IndexError:  # Another thread was faster.
                break
            if not connection.has_news:
                return connection
            connection.close()
        try:
            return self._open(origin, deadline)
        except TimeoutError as error:
            raise requests.ConnectTimeout from error
        except ssl.SSLError as error:
            raise requests.exceptions.SSLError from error
        except (OSError, httptools.HttpParserError) as error:
            raise NotConnected from error

    def give(self, origin: Origin, connection: Connection) -> None:
        """Keeps it for the next call."""
        connection.forget()
        idle = self._idle.setdefault(origin, deque())
        if len(idle) < CONNECTIONS:
            idle.append(connection)
        else:
            connection.close()

    def _open(self, origin: Origin, deadline: Deadline) -> Connection:
        there = self._proxy or origin
        connection = Connection(connect(there.host, there.port, deadline))
        try:
            if origin.scheme == "http":
                return connection
            if self._proxy:
                self._tunnel(connection, f"{origin.host}:{origin.port}", deadline)
            return connection.encrypted(origin.host, self._ca_file, deadline)
        except BaseException:
            connection.close()
            raise

    def _tunnel(self, connection: Connection, there: str, deadline: Deadline) -> None:
        asked = f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n{self._proxy_headers}\r\n"
        status = connection.exchange(asked.encode(), deadline, wants_body=False).status
        if not 200 <= status < 300:
            raise NotConnected(f"the proxy answered {status}")


def _close(idle: dict[Origin, deque[Connection]]) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.close()
