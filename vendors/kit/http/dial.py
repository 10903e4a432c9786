"""Sockets that are open by a deadline: name look-up, connect (shared over the addresses of a host), TLS handshake.

No thread stays behind, except where a name look-up hangs, which cannot be interrupted: it runs in a daemon
thread that is left alone at the deadline.
"""

import ipaddress
import socket
import ssl
import threading
from functools import lru_cache
from typing import Any

from vendors.kit.deadline import Deadline

Address = tuple[Any, Any, int, str, Any]


@lru_cache(maxsize=1024)
def look_ups_of(host: str) -> threading.BoundedSemaphore:
    """Places for look-ups of one host: one that hangs in the system's resolver holds its thread."""
    return threading.BoundedSemaphore(16)


@lru_cache(maxsize=4)
def tls_context(ca_file: str) -> ssl.SSLContext:
    """A context that verifies certificates and names; loaded once for all connections."""
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
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
        # Taken out of the list: an error and a frame that knows it hold each other.
        raise failed.pop()
    if not found:
        raise TimeoutError("the name look-up did not end before the deadline")
    return found[0]


def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A socket connected to the first address that answers; each gets its share of the time left. Raises OSError."""
    addresses = look_up(host, port, deadline)
    for tried, address in enumerate(addresses, 1):
        try:
            return _connect(address, deadline.timeout() / (len(addresses) - tried + 1))
        except OSError:
            if tried == len(addresses):
                raise
    raise OSError("the host has no address")


def _connect(address: Address, seconds: float) -> socket.socket:
    family, kind, protocol, _, there = address
    sock = socket.socket(family, kind, protocol)
    try:
        # Requests are small and sent whole; waiting for more would only delay them.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds)
        sock.connect(there)
    except OSError:
        sock.close()
        raise
    return sock


def encrypt(sock: socket.socket, host: str, ca_file: str, deadline: Deadline) -> ssl.SSLSocket:
    """TLS over a connected socket, with a certificate that is trusted and names the host. Raises OSError."""
    sock.settimeout(deadline.timeout())
    # The timeout of a handshake is one for all of its reads and writes.
    return tls_context(ca_file).wrap_socket(sock, server_hostname=host)
