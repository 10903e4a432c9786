"""Ports for servers that tests start."""

import socket


def free_port() -> int:
    """A port that is ours until this process ends, on which a server of ours can listen.

    It is bound here, without listening: so the kernel gives it to no other process that asks for any port, be it for a
    server or for a call. Servers that name the port may still have it, since they and we set SO_REUSEADDR.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("0.0.0.0", 0))
    port: int = holder.getsockname()[1]
    holder.detach()
    return port
