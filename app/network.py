"""Host names and ports of this machine."""

import ipaddress
import socket
from functools import lru_cache


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether a host name (without port or brackets) is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def refuse_used_port(host: str, port: int, setting: str) -> None:
    """Ends the program with one line when the port is taken, and names the setting that changes it.

    Without it gunicorn would try for five seconds and then print a traceback.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do: otherwise a port would count as used for a minute after its connections have closed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SystemExit(
                f"Port {port} cannot be used ({error.strerror}): set {setting} to another, "
                f"for example {setting}={port + 1 if port < 65535 else port - 1}"
            ) from None
