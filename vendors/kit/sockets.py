"""Connections that obey the deadline of the thread that uses them, in every phase.

The timeouts of requests are per read, so a server that drips one byte a second is never timed out.
Here each single read gets what is left of the whole deadline: name look-up, connect (shared over the
addresses of a host), TLS handshake, headers and body all end with it, and no thread stays behind. Only a
name look-up cannot be interrupted; it runs in a daemon thread that is left alone at the deadline.
"""

import ipaddress
import socket
import ssl
import threading
from functools import lru_cache
from typing import Any

import urllib3.connection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from vendors.kit.deadline import Deadline, current

Address = tuple[Any, Any, int, str, Any]


@lru_cache(maxsize=1024)
def look_ups_of(host: str) -> threading.BoundedSemaphore:
    """Places for look-ups of one host: one that hangs in the system's resolver holds its thread."""
    return threading.BoundedSemaphore(16)


class DeadlineSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(current().timeout())
        return super().recv_into(*args, **kwargs)

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        self.settimeout(current().timeout())
        return super().recv(*args, **kwargs)


class DeadlineTLSSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(current().timeout())
        return super().recv_into(*args, **kwargs)

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        self.settimeout(current().timeout())
        return super().recv(*args, **kwargs)


@lru_cache(maxsize=4)
def tls_context(ca_file: str) -> ssl.SSLContext:
    """A verifying context, loaded once for all: urllib3 would read the CA file again for every connection."""
    context = create_urllib3_context()
    context.load_verify_locations(ca_file)
    context.sslsocket_class = DeadlineTLSSocket
    return context


def look_up(host: str, port: int, deadline: Deadline) -> list[Address]:
    """Addresses of a host. Raises socket.gaierror, or TimeoutError at the deadline."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _look_up_in_thread(host, port, deadline)
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _look_up_in_thread(host: str, port: int, deadline: Deadline) -> list[Address]:
    places = look_ups_of(host)
    found: list[list[Address]] = []
    failed: list[OSError] = []

    def resolve() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error if isinstance(error, OSError) else socket.gaierror(str(error)))
        finally:
            places.release()

    if not places.acquire(timeout=deadline.timeout()):
        raise TimeoutError("too many look-ups of this name hang")
    thread = threading.Thread(target=resolve, name=f"look-up {host}", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        places.release()
        raise
    thread.join(deadline.timeout())
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError("the name look-up did not end before the deadline")
    return found[0]


def connect(addresses: list[Address], options: Any, deadline: Deadline) -> socket.socket:
    """A socket connected to the first address that answers; each gets its share of the time left."""
    failure: OSError = OSError("the host has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = DeadlineSocket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(deadline.timeout() / (len(addresses) - tried))
            sock.connect(address)
            sock.settimeout(deadline.timeout())
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


class _Connects(urllib3.connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        deadline = current()
        try:
            return connect(
                look_up(self._dns_host, self.port or 0, deadline),
                self.socket_options,
                deadline,
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection to {self.host}: {error}") from error


class _ConnectsTLS(_Connects, urllib3.connection.HTTPSConnection):
    pass


class DeadlineHTTPPool(HTTPConnectionPool):
    ConnectionCls = _Connects


class DeadlineHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _ConnectsTLS


POOLS = {"http": DeadlineHTTPPool, "https": DeadlineHTTPSPool}
