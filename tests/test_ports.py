"""Ports of tests are reserved from choice to use, so that no concurrent process takes them."""

import errno
import socket
import struct
import sys

import pytest

from tests.ports import free_port

IP_LOCAL_PORT_RANGE = 51


@pytest.fixture
def only():
    """Makes a socket to which the kernel may give this port and no other."""
    opened = []

    def make(port):
        opened_socket = socket.socket()
        opened.append(opened_socket)
        try:
            opened_socket.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("I", port << 16 | port))
        except OSError:
            pytest.skip("this kernel cannot narrow the ports of one socket")
        return opened_socket

    yield make
    for opened_socket in opened:
        opened_socket.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the option is Linux's")
def test_a_held_port_is_given_to_no_other_process_and_no_call(only):
    port = free_port()
    with pytest.raises(OSError, match=f"Errno {errno.EADDRINUSE}"):
        only(port).bind(("127.0.0.1", 0))
    reusing = only(port)
    reusing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with pytest.raises(OSError, match=f"Errno {errno.EADDRINUSE}"):
        reusing.bind(("127.0.0.1", 0))
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(OSError, match=str(errno.EADDRNOTAVAIL)):
        only(port).connect(listening.getsockname())


def test_a_server_can_listen_on_a_held_port_and_nothing_listens_there_before():
    port = free_port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with socket.create_server(("0.0.0.0", port)), socket.create_connection(("127.0.0.1", port)):
        pass
    assert port != free_port()
