"""Opens sockets before a deadline: name look-up, connecting to one of a host's addresses, TLS handshake.

A name look-up cannot be interrupted. It runs in a daemon thread, which is abandoned if it hangs until the deadline.
"""

import ipaddress
import socket
import ssl
import threading
from functools import lru_cache
from typing import Any

from vendors.kit.deadline import Deadline

# Concurrent look-ups of one host: each look-up that hangs in the system's resolver holds its thread.
MAX_LOOK_UPS = 16

Address = tuple[Any, Any, int, str, Any]


@lru_cache(maxsize=1024)
def look_up_slots(host: str) -> threading.BoundedSemaphore:
    """The slots for look-ups of one host."""
    return threading.BoundedSemaphore(MAX_LOOK_UPS)


@lru_cache(maxsize=4)
def tls_context(ca_file: str) -> ssl.SSLContext:
    """A context that verifies certificates and host names; shared by all connections, since it is slow to load."""
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


def look_up(host: str, port: int, deadline: Deadline) -> list[Address]:
    """The addresses of a host. Raises socket.gaierror, or TimeoutError at the deadline."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _look_up_in_thread(host, port, deadline)
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _look_up_in_thread(host: str, port: int, deadline: Deadline) -> list[Address]:
    slots = look_up_slots(host)
    if not slots.acquire(timeout=deadline.timeout()):
        raise TimeoutError("too many look-ups of this name are in flight")
    results: list[list[Address]] = []
    errors: list[OSError] = []
    thread = threading.Thread(
        target=_resolve, args=(host, port, slots, results, errors), name=f"look-up {host}", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:
        slots.release()
        raise
    thread.join(deadline.timeout())
    if errors:
        # Popped: otherwise the error and this frame would refer to each other.
        raise errors.pop()
    if not results:
        raise TimeoutError("the name look-up did not end before the deadline")
    return results[0]


def _resolve(
    host: str, port: int, slots: threading.BoundedSemaphore, results: list[list[Address]], errors: list[OSError]
) -> None:
    """Looks a name up, puts the addresses or the error into the lists, and releases the slot."""
    try:
        results.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        errors.append(error if isinstance(error, OSError) else socket.gaierror(str(error)))
    finally:
        slots.release()


def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A socket connected to the first address that answers. Each address gets an equal share of the time left. Raises
    OSError."""
    addresses = look_up(host, port, deadline)
    for number, address in enumerate(addresses, 1):
        try:
            return _connect(address, deadline.timeout() / (len(addresses) - number + 1))
        except OSError:
            if number == len(addresses):
                raise
    raise OSError("the host has no address")


def _connect(address: Address, seconds: float) -> socket.socket:
    family, kind, protocol, _, peer = address
    sock = socket.socket(family, kind, protocol)
    try:
        # Disables Nagle's algorithm: each request is complete when it is sent, so waiting for more data only delays it.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds)
        sock.connect(peer)
    except OSError:
        sock.close()
        raise
    return sock


def encrypt(sock: socket.socket, host: str, ca_file: str, deadline: Deadline) -> ssl.SSLSocket:
    """TLS over a connected socket, with a trusted certificate for this host. Raises OSError."""
    sock.settimeout(deadline.timeout())
    # The ssl module applies the timeout to the handshake as a whole.
    return tls_context(ca_file).wrap_socket(sock, server_hostname=host)
