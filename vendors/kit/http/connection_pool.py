"""Pools the idle connections of one cloud by origin, and opens new connections, directly or through a proxy."""

import base64
import re
import ssl
import weakref
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import httptools
import requests
from requests.exceptions import InvalidURL

from vendors.kit.deadline import Deadline
from vendors.kit.http.connection import Connection
from vendors.kit.http.dial import connect

# Idle connections per origin.
CONNECTIONS = 64
# Printable ASCII: anything else could end the request line.
URL = re.compile(r"[\x21-\x7e]+")
DEFAULT_PORTS = {"http": 80, "https": 443}


class NotConnected(requests.ConnectionError):
    """No connection could be opened, so nothing was sent."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as in the header Host: without the default port."""
        return self._bracketed if self.port == DEFAULT_PORTS[self.scheme] else self.host_and_port

    @property
    def host_and_port(self) -> str:
        """Host and port as in a CONNECT request: always both."""
        return f"{self._bracketed}:{self.port}"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


@lru_cache(maxsize=1024)
def origin_of(url: str) -> Origin:
    """The origin of a URL. Raises ValueError if it has none, or names a user."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise ValueError("a URL needs http or https and a host, and no user")
    return Origin(parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme])


def split_url(url: str) -> tuple[Origin, str]:
    """The origin and the request target of a URL. Raises InvalidURL."""
    url = url.partition("#")[0]
    if not URL.fullmatch(url):
        raise InvalidURL("the URL contains a character that HTTP does not allow")
    slash = url.find("/", url.find("://") + 3)
    try:
        origin = origin_of(url[:slash] if slash > 0 else url)
    except ValueError as error:
        raise InvalidURL("the URL needs http or https and a host, and no user") from error
    return origin, url[slash:] if slash > 0 else "/"


class ConnectionPool:
    """Shared by all threads: a caller acquires a connection for one exchange and releases it after that.

    proxy_url: the HTTP proxy for all connections, or "" for none.
    ca_file: the certificates to trust.
    """

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
        weakref.finalize(self, _close_all, self._idle)

    def addressed(self, origin: Origin, target: str) -> tuple[str, str]:
        """The target for the request line, and header lines for a proxy that forwards plain HTTP."""
        if self._proxy and origin.scheme == "http":
            return f"http://{origin.authority}{target}", self._proxy_headers
        return target, ""

    def acquire(self, origin: Origin, deadline: Deadline) -> Connection:
        """An idle connection or a new one. Raises requests.ConnectTimeout, requests.exceptions.SSLError or
        NotConnected."""
        idle = self._idle.get(origin)
        while idle:
            try:
                connection = idle.pop()
            except IndexError:  # Another thread took the last connection.
                break
            if not connection.is_readable:
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

    def release(self, origin: Origin, connection: Connection) -> None:
        """Keeps the connection for the next exchange, or closes it if it cannot be reused."""
        idle = self._idle.setdefault(origin, deque())
        if connection.is_reusable and len(idle) < CONNECTIONS:
            connection.reset()
            idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Closes the idle connections."""
        _close_all(self._idle)

    def _open(self, origin: Origin, deadline: Deadline) -> Connection:
        peer = self._proxy or origin
        connection = Connection(connect(peer.host, peer.port, deadline))
        try:
            if origin.scheme == "http":
                return connection
            if self._proxy:
                self._open_tunnel(connection, origin.host_and_port, deadline)
            return connection.encrypted(origin.host, self._ca_file, deadline)
        except BaseException:
            connection.close()
            raise

    def _open_tunnel(self, connection: Connection, authority: str, deadline: Deadline) -> None:
        message = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{self._proxy_headers}\r\n"
        status = connection.exchange(message.encode(), deadline, wants_body=False).status
        if not 200 <= status < 300:
            raise NotConnected(f"the proxy answered {status}")


def _close_all(idle: dict[Origin, deque[Connection]]) -> None:
    for connections in list(idle.values()):
        while connections:
            try:
                connections.pop().close()
            except IndexError:  # Another thread took the last connection.
                break
