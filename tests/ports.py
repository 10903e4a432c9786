"""Ports for servers that tests start."""

import socket


def free_port() -> int:
    """Reserves a port until this process ends; a server that a test starts can listen on it.

    The port is bound here, without listening. So the kernel gives it to no other socket that asks for any free port,
    neither of a server nor of a call. A server that names the port can still bind it, as both set SO_REUSEADDR.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("0.0.0.0", 0))
    port: int = holder.getsockname()[1]
    holder.detach()
    return port
